//! This program as the first process of a container of the image: so that docker's own costs are in no figure.
//!
//! It prints `ours <number>` and `peer <number>` lines, which the program outside collects.

use std::path::Path;

use anyhow::{Context, bail};

use crate::docker::{Scope, docker_output_within};
use crate::figure::Samples;
use crate::setup::Setup;

pub const FLAG: &str = "--inside";
/// As compose.yaml mounts them.
const TMPFS: [&str; 5] = [
    "/run/pgcluster:uid=50010,gid=50010,mode=0700",
    "/run/postgresql:uid=50010,gid=50010,mode=0775",
    "/etc/pgcluster:uid=50010,gid=50010,mode=0755",
    "/etc/repmgr/17:uid=50010,gid=50010,mode=0755",
    "/tmp:mode=1777",
];
pub const PROGRAM: &str = "/usr/local/bin/pgcluster-bench";

/// For all runs of one bench: a hung server must not hold the table up for ever.
pub const DEADLINE: std::time::Duration = std::time::Duration::from_secs(3600);

/// `docker <verb> options…` of a database container as in compose.yaml.
pub fn container_args(verb: &[&str]) -> Vec<String> {
    let mut args: Vec<String> = verb.iter().map(|word| word.to_string()).collect();
    // The highest share of the processors: whatever else this machine does disturbs less.
    args.push("--cpu-shares=262144".into());
    args.extend(["--shm-size=256m", "--read-only", "--cap-drop=ALL"].map(String::from));
    args.extend(TMPFS.iter().flat_map(|mount| ["--tmpfs".to_string(), mount.to_string()]));
    args
}

/// Runs `--inside name runs` in a container made with `options`, to its end.
pub fn run(setup: &Setup, name: &str, runs: usize, options: &[String]) -> anyhow::Result<Samples> {
    let program = std::env::current_exe().context("find this program")?;
    // Its end removes the container also when we do not wait for it any more.
    let scope = Scope::new(&format!("bench-{}", name.replace('_', "-")));
    let mut args = container_args(&["run", "--rm", "--init", "--label", &scope.label()]);
    args.extend(options.iter().cloned());
    args.extend(["--volume".into(), format!("{}:{PROGRAM}:ro", program.display())]);
    args.extend(["--entrypoint".into(), PROGRAM.into(), setup.postgres_image()]);
    args.extend([FLAG.into(), name.into(), runs.to_string()]);
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let output = docker_output_within(DEADLINE, &args);
    if !output.status.success() {
        bail!("docker {}: {}", args.join(" "), String::from_utf8_lossy(&output.stderr));
    }
    samples(&String::from_utf8_lossy(&output.stdout))
}

fn samples(text: &str) -> anyhow::Result<Samples> {
    let mut samples = Samples::default();
    for line in text.lines() {
        match line.split_once(' ') {
            Some(("ours", number)) => samples.ours.push(number.parse().context("read a sample")?),
            Some(("peer", number)) => samples.peer.push(number.parse().context("read a sample")?),
            _ => bail!("not a sample: {line}"),
        }
    }
    Ok(samples)
}

/// Prints a sample for the program outside.
pub fn say(whose: &str, value: f64) {
    println!("{whose} {value:.3}");
}

/// Removes a directory's content: what a new container would not have.
pub fn empty(directory: &Path) -> anyhow::Result<()> {
    for entry in std::fs::read_dir(directory).with_context(|| format!("read {}", directory.display()))? {
        let path = entry?.path();
        match path.is_dir() && !path.is_symlink() {
            true => std::fs::remove_dir_all(&path),
            false => std::fs::remove_file(&path),
        }
        .with_context(|| format!("remove {}", path.display()))?;
    }
    Ok(())
}
