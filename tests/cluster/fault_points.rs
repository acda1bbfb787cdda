//! Death at every fault point of the sources: the next start finishes what was begun.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Instant;

use crate::build::{Cluster, OWNER_PASSWORD, USER_PASSWORD};

const INITDB: &[&str] = &[
    "initdb-begun",
    "initdb-done",
    "initdb-server",
    "provision-roles",
    "provision-database",
    "provision-metadata",
    "provision-services",
    "initdb-provisioned",
    "initdb-scripts",
    "initdb-marked",
    "staging-synced",
    "initdb-in-place",
];
const CLONE: &[&str] = &["clone-begun", "clone-copied", "clone-pointed", "staging-synced", "clone-in-place"];
const REWIND: &[&str] = &["rewind-begun", "rewind-writing", "rewind-done"];
/// A copy over data that cannot be rewound.
const REPLACE: &[&str] = &["staging-synced", "staging-old-aside", "clone-in-place"];
/// The volume is mounted at PGDATA itself, which cannot be renamed.
const MOUNT_POINT: &[&str] = &["staging-marked"];
const NEW_WISHES: &[&str] = &["provision-roles", "provision-database", "provision-metadata", "provision-services"];

/// A new fault point without a place here is a hole in the tests.
#[test]
fn every_fault_point_of_the_sources_is_tried() {
    let mut found = BTreeSet::new();
    collect(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src/act"), &mut found);
    let tried: BTreeSet<String> =
        [INITDB, CLONE, REWIND, REPLACE, MOUNT_POINT, NEW_WISHES].concat().iter().map(ToString::to_string).collect();
    // Those of promotions and switchovers are tried where these are.
    found.retain(|name| !name.starts_with("promote-") && !name.starts_with("switchover-"));
    assert_eq!(found, tried);
}

/// The names of all fault points in the sources there.
pub fn collect(dir: &Path, found: &mut BTreeSet<String>) {
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = std::fs::read_to_string(&path).unwrap();
            found.extend(text.split("fault_point(\"").skip(1).map(|rest| rest.split('"').next().unwrap().to_string()));
        }
    }
}

impl Cluster {
    /// Makes `node`'s container anew, so that it dies once at `point`; the restart policy starts it again.
    fn start_to_die(&mut self, node: &str, point: &str) -> Instant {
        self.set_node_env(node, "PGCLUSTER_DIE_AT", &format!("{point}@/u01/pg17/died-{point}"));
        let began = Instant::now();
        self.start(node);
        self.clear_node_env(node);
        began
    }

    /// It really died, once, and left nothing but complete data.
    fn assert_died_once(&self, node: &str, point: &str) {
        assert_eq!(self.logs(node).matches(&format!("die at fault point {point}")).count(), 1, "{node} at {point}");
        assert_ne!(self.inspect(node, "{{.RestartCount}}"), "0", "{node} at {point}");
        let names = self.in_volume(node, "ls -A . data");
        for leftover in ["data.staging", "pgcluster.staging", "pgcluster.unfinished"] {
            assert!(!names.lines().any(|name| name == leftover), "{node} at {point}: {leftover} is left");
        }
        assert_eq!(self.in_volume(node, "cat data/PG_VERSION"), "17", "{node} at {point}: the mark of a rewind is left");
        self.in_volume(node, "rm -f died-*");
    }
}

#[test]
fn initdb_finishes() {
    let mut cluster = Cluster::nodes("initdb", 1).restart("unless-stopped").create();
    for point in INITDB {
        let began = cluster.start_to_die("pg01", point);
        cluster.wait_healthy("pg01");
        println!("died at {point}: healthy after {:.1?}", began.elapsed());
        assert_eq!(cluster.sql_in("pg01", "phoenix", "SELECT count(*) FROM pg_namespace WHERE nspname = 'orders_owner'"), "1");
        cluster.assert_died_once("pg01", point);
        cluster.remove_volume("pg01");
    }
}

#[test]
fn a_copy_finishes() {
    let mut cluster = Cluster::nodes("clone", 2).restart("unless-stopped").up();
    cluster.wait_healthy("pg01");
    for point in CLONE {
        cluster.remove_volume("pg02");
        let began = cluster.start_to_die("pg02", point);
        cluster.wait_healthy("pg01");
        println!("died at {point}: healthy after {:.1?}", began.elapsed());
        cluster.assert_died_once("pg02", point);
    }
}

#[test]
fn a_rewind_or_what_takes_its_place_finishes() {
    let mut cluster = Cluster::nodes("rewind", 2).restart("unless-stopped").up();
    cluster.wait_healthy("pg01");
    let (mut old, mut new) = ("pg01", "pg02");
    let rewinds = REWIND.iter().map(|point| (point, false));
    let copies = REPLACE.iter().map(|point| (point, true));
    for (epoch, (point, is_lossy)) in (2..).zip(rewinds.chain(copies)) {
        cluster.diverge(old, new, epoch);
        if is_lossy {
            cluster.in_volume(old, "find data/pg_wal -maxdepth 1 -type f -name '0*' -delete");
        }
        cluster.remove_container(old);
        let began = cluster.start_to_die(old, point);
        cluster.wait_healthy(new);
        println!("died at {point}: healthy after {:.1?}", began.elapsed());
        cluster.assert_rejoined(old, epoch);
        cluster.assert_died_once(old, point);
        (old, new) = (new, old);
    }
}

#[test]
fn a_build_inside_a_mount_point_finishes() {
    let mut cluster = Cluster::nodes("mount", 2).mount("/u01/pg17/data").restart("unless-stopped").create();
    for point in MOUNT_POINT {
        let began = cluster.start_to_die("pg01", point);
        cluster.start_to_die("pg02", point);
        cluster.wait_healthy("pg01");
        println!("died at {point} on both nodes: healthy after {:.1?}", began.elapsed());
        cluster.assert_died_once("pg01", point);
        cluster.assert_died_once("pg02", point);
    }
}

#[test]
fn new_wishes_are_finished() {
    let mut cluster = Cluster::nodes("wishes", 2).restart("unless-stopped").up();
    cluster.wait_healthy("pg01");
    let mut number = 0;
    for node in ["pg01", "pg02"] {
        for point in NEW_WISHES {
            number += 1;
            cluster.set_env("MSLIST", &format!("orders,later{number}"));
            cluster.set_env("MSOWNERPWDLIST", &format!("{OWNER_PASSWORD},{OWNER_PASSWORD}"));
            cluster.set_env("MSUSERPWDLIST", &format!("{USER_PASSWORD},{USER_PASSWORD}"));
            cluster.set_env("PG_DATABASE", &format!("base{number}"));
            cluster.stop(node);
            cluster.remove_container(node);
            let began = cluster.start_to_die(node, point);
            cluster.wait_healthy("pg01");
            println!("died at {point} on {node}: healthy after {:.1?}", began.elapsed());
            let roles =
                cluster.sql("pg01", &format!("SELECT count(*) FROM pg_roles WHERE rolname ~ '^later{number}_(owner|user)$'"));
            assert_eq!(roles, "2", "at {point} on {node}");
            let schema = format!("SELECT count(*) FROM pg_namespace WHERE nspname = 'later{number}_owner'");
            assert_eq!(cluster.sql_in("pg01", &format!("base{number}"), &schema), "1", "at {point} on {node}");
            cluster.assert_died_once(node, point);
        }
    }
}
