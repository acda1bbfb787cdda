//! A primary whose disk is full of WAL: it dies, another takes over, and it comes back when there is room again.

use std::time::Duration;

use crate::build::Cluster;
use crate::docker::{LABEL, docker, image, wait_until};
use crate::health::DEADLINE;
use crate::probe::Probe;

impl Cluster {
    /// The node's volume is a file system of its own in memory; a container that only sleeps keeps it there between two starts.
    #[track_caller]
    fn give_small_volume(&self, node: &str, megabytes: u32) {
        let label = format!("{LABEL}={}", self.network());
        let volume = self.volume(node);
        docker(&["volume", "rm", &volume]);
        let size = format!("o=size={megabytes}m,uid=50010,gid=50010,mode=0755");
        let options = ["--opt", "type=tmpfs", "--opt", "device=tmpfs", "--opt", &size];
        docker(&[["volume", "create", "--label", &label].as_slice(), &options, &[&volume]].concat());
        let mount = format!("{volume}:/u01/pg17");
        let run = ["run", "-d", "--init", "--label", &label, "--network", "none", "-v", &mount, "--entrypoint", "sleep"];
        docker(&[run.as_slice(), &[&image("postgres"), "infinity"]].concat());
    }
}

#[test]
#[ignore = "make faults"]
fn a_primary_whose_disk_is_full_of_wal_gives_way_and_comes_back_when_there_is_room() {
    let cluster = Cluster::nodes("full", 3).pgpool().env("FAILOVER_MODE", "auto").restart("unless-stopped").create();
    cluster.give_small_volume("pg01", 400);
    cluster.names().iter().for_each(|name| cluster.start(name));
    cluster.wait_healthy("pg01");
    cluster.in_volume(
        "pg01",
        "free=$(df --output=avail -m . | tail -n 1); dd if=/dev/zero of=ballast bs=1M count=$((free - 20)) status=none",
    );
    let probe = Probe::start(&cluster);
    // WAL and nothing else: a table could not grow, and that is only an error.
    let fill = "SELECT pg_logical_emit_message(true, 'test', repeat('x', 8000000))";
    wait_until("the disk is full", DEADLINE, || cluster.try_sql("pg01", fill).is_err().then_some(()));
    let (next, elected) = cluster.wait_for_successor("pg01");
    wait_until("pg01 was started again", DEADLINE, || (cluster.inspect("pg01", "{{.RestartCount}}") != "0").then_some(()));
    cluster.nobody_but(&next, Duration::from_secs(12));
    let log = cluster.logs("pg01");
    let full = log
        .lines()
        .find(|line| line.contains("No space left on device"))
        .unwrap_or_else(|| panic!("the disk was not full:\n{log}"));
    println!("{full}\n{}", log.lines().last().unwrap_or_default());
    cluster.in_volume("pg01", "rm ballast");
    let healed = cluster.wait_healthy(&next);
    let report = probe.finish(&cluster);
    println!(
        "pg01 has no room for WAL: {next} is primary after {elected:.1?}, longest gap {:.2?}, {} rows acknowledged and kept; pg01 streams \
         {healed:.1?} after there was room",
        report.longest_gap,
        report.acknowledged.len()
    );
}
