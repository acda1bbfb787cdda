//! Servers that die: once, again and again, and by the kernel's hand. Clients write through pgpool and to every node meanwhile.

use std::time::{Duration, Instant};

use crate::build::Cluster;
use crate::docker::{docker, wait_until};
use crate::health::DEADLINE;
use crate::links::three_nodes;
use crate::writers::Writers;

impl Cluster {
    /// SIGKILL of the server alone: docker's init is left, and ends with it.
    #[track_caller]
    pub fn crash_postmaster(&self, node: &str) {
        assert!(self.try_crash_postmaster(node), "{node} has no server process to kill");
    }

    /// Whether there was one: not between two starts.
    fn try_crash_postmaster(&self, node: &str) -> bool {
        let init = self.host_pid(node);
        let children = std::fs::read_to_string(format!("/proc/{init}/task/{init}/children")).unwrap_or_default();
        let Some(postmaster) = children.split_whitespace().next() else { return false };
        std::process::Command::new("kill").args(["-9", postmaster]).status().unwrap().success()
    }

    /// `docker update`: from now on, and after restarts.
    #[track_caller]
    fn limit_memory(&self, node: &str, limit: &str) {
        docker(&["update", "--memory", limit, "--memory-swap", limit, &self.container(node)]);
    }
}

/// Each time in another phase of whatever goes on: checkpoints, health checks, the end of the last recovery.
fn crash_the_primary(times: u64) {
    let cluster = three_nodes("crash");
    let writers = Writers::everywhere(&cluster);
    for time in 0..times {
        std::thread::sleep(Duration::from_millis(time * 613 % 5000));
        let old = cluster.primary().expect("a healthy cluster has a primary");
        let what = match time % 2 {
            0 => {
                cluster.crash_postmaster(&old);
                "server"
            }
            _ => {
                cluster.crash_from_host(&old);
                "container"
            }
        };
        let (next, healed) = cluster.wait_all_well();
        println!("SIGKILL of {old}'s {what} from the host: {next} is primary, all well after {healed:.1?}");
    }
    println!("{}", writers.finish().assert_kept(&cluster));
}

#[test]
fn a_primary_whose_server_is_killed_costs_no_row() {
    crash_the_primary(1);
}

#[test]
#[ignore = "make faults"]
fn a_primary_that_is_killed_fifty_times_costs_no_row() {
    crash_the_primary(50);
}

/// One of its deaths costs it the reign, the others nobody anything: each start is killed wherever it is, in its entrypoint or later.
#[test]
fn a_primary_in_a_crash_loop_is_replaced_once_at_most_and_comes_back() {
    let cluster = three_nodes("loop");
    let writers = Writers::everywhere(&cluster);
    for time in 0..7_u64 {
        wait_until("pg01 has a process to kill", DEADLINE, || {
            std::thread::sleep(Duration::from_millis(time * 173 % 500));
            cluster.try_crash_postmaster("pg01").then_some(())
        });
    }
    let (next, healed) = cluster.wait_all_well();
    println!("SIGKILL of pg01's process, 7 times in a row: {next} is primary, all well {healed:.1?} after the last");
    println!("{}", writers.finish().assert_kept(&cluster));
    let reign = cluster.reign(&next);
    assert!(["00000001|{1}", "00000002|{1,2}"].contains(&reign.as_str()), "more than one promotion: {reign}");
}

/// pgpool gives the standby up, and must get it back; nobody is promoted, and a session that had nothing to do with it goes on.
#[test]
fn a_standby_that_dies_comes_back_and_changes_no_primary() {
    let cluster = three_nodes("standby");
    let reign = cluster.reign("pg01");
    let writers = Writers::everywhere(&cluster);
    for standby in ["pg02", "pg03"] {
        cluster.crash_from_host(standby);
        println!("SIGKILL of {standby} from the host: all well after {:.1?}", cluster.wait_healthy("pg01"));
        cluster.kill(standby);
        wait_until("pgpool gives it up", DEADLINE, || cluster.find_pool_illness("pg01"));
        cluster.start(standby);
        println!("docker kill and start of {standby}: all well after {:.1?}", cluster.wait_healthy("pg01"));
    }
    println!("{}", writers.finish().assert_kept(&cluster));
    assert_eq!(cluster.reign("pg01"), reign, "somebody was promoted");
}

/// One query takes more memory than the container has.
#[test]
fn a_primary_that_meets_the_oom_killer_costs_no_row() {
    let cluster = three_nodes("oom");
    let writers = Writers::everywhere(&cluster);
    std::thread::sleep(Duration::from_secs(1));
    cluster.limit_memory("pg01", "400m");
    let began = Instant::now();
    let answer = cluster.try_sql("pg01", "SELECT length(repeat('x', 1000000000))");
    wait_until(&format!("the server hears of the OOM killer; its client, of {answer:?}"), DEADLINE, || {
        cluster.logs("pg01").contains("was terminated by signal 9: Killed").then_some(())
    });
    let (next, _) = cluster.wait_all_well();
    println!(
        "a query on pg01 met the OOM killer: {next} is primary, all well after {:.1?}; {}",
        began.elapsed(),
        writers.finish().assert_kept(&cluster)
    );
}
