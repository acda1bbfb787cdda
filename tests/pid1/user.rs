//! Root, postgres, and anybody else.

use std::fs;
use std::os::unix::fs::{MetadataExt, chown, symlink};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

use nix::unistd::Uid;

use crate::Test;
use crate::hand_over::text;

pub const TESTS: &[Test] =
    &[("root_becomes_postgres_and_takes_over_what_it_needs", root_becomes_postgres_and_takes_over_what_it_needs)];

fn owner(path: &Path) -> u32 {
    fs::symlink_metadata(path).unwrap().uid()
}

fn root_becomes_postgres_and_takes_over_what_it_needs() {
    if !Uid::effective().is_root() {
        return println!("  (not root: not tested)");
    }
    let dir = tempfile::tempdir().unwrap();
    chown(dir.path(), Some(50010), None).unwrap();
    let path = |name: &str| dir.path().join(name);
    for name in ["config/deep", "data/mine", "data/foreign/deep", "data/lost+found"] {
        fs::create_dir_all(path(name)).unwrap();
    }
    for name in ["data", "data/mine"] {
        chown(path(name), Some(50010), None).unwrap();
    }
    // Only looked at, never entered: its top is right. (A start must not walk a terabyte.)
    fs::create_dir(path("data/mine/unseen")).unwrap();
    fs::write(path("victim"), "x").unwrap();
    symlink(path("victim"), path("data/foreign/link")).unwrap();
    let binary = path("pid1");
    fs::copy(std::env::current_exe().unwrap(), &binary).unwrap();
    let play = |uid: u32| {
        let args = [path("config"), path("data")];
        text(&Command::new(&binary).uid(uid).args(["--play", "become"]).args(args).current_dir("/").output().unwrap())
    };

    let said = play(1234);
    assert!(said.contains("run as uid 50010 (postgres), not 1234") && said.contains("`user: \"50010\"`"), "{said}");
    let has_passwd = fs::read_to_string("/etc/passwd").unwrap().contains(":50010:");
    let said = play(0);
    assert!(has_passwd || said.contains("find uid 50010 in /etc/passwd"), "{said}");
    let ids = ["Uid:\t50010\t50010\t50010\t50010", "Gid:\t50010\t50010\t50010\t50010", "Groups:\t", "NoNewPrivs:\t1"];
    for (line, expected) in
        said.lines().rev().take(4).collect::<Vec<_>>().into_iter().rev().zip(["Uid", "Gid", "Groups", "NoNewPrivs"])
    {
        assert!(line.starts_with(expected), "{said}");
    }
    assert!(ids.iter().all(|id| said.contains(id)), "{said}");
    for (name, expected) in [
        ("config/deep", 50010),
        ("data/foreign/deep", 50010),
        ("data/foreign/link", 50010),
        ("data/mine/unseen", 0),
        ("data/lost+found", 0),
        ("victim", 0),
    ] {
        assert_eq!(owner(&path(name)), expected, "{name}");
    }
    assert!(play(50010).contains("NoNewPrivs:\t0"), "postgres stays as it is");
}
