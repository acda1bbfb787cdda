//! Two asynchronous nodes, as the seeds have them: the machinery of three, and no silent loss where a standby cannot know what it lacks.

use std::time::{Duration, Instant};

use crate::build::{Cluster, POOL};
use crate::docker::{docker_output, wait_until};
use crate::health::DEADLINE;

fn two_nodes(test: &str) -> Cluster {
    let cluster = Cluster::nodes(test, 2).pgpool().env("FAILOVER_MODE", "auto").restart("unless-stopped").up();
    cluster.wait_healthy("pg01");
    cluster.pool_owner_sql("CREATE TABLE witness (word text)");
    cluster
}

#[test]
#[ignore = "make faults"]
fn a_lost_primary_of_two_rejoins_and_restarts_in_either_order_change_nothing() {
    let cluster = two_nodes("two");
    cluster.wait_for_write_through(POOL, "before");
    cluster.kill("pg01");
    let (next, elected) = cluster.wait_for_successor("pg01");
    assert_eq!(next, "pg02");
    let served = cluster.wait_for_write_through(POOL, "after");
    cluster.start("pg01");
    let healed = cluster.wait_healthy("pg02");
    println!("pg01 killed: pg02 is primary after {elected:.1?}, writable {served:.1?} later; pg01 back after {healed:.1?}");

    let reign = cluster.reign("pg02");
    for (how, end) in [("stopped", Cluster::stop_nodes as fn(&Cluster)), ("killed", Cluster::kill_nodes)] {
        for order in [["pg02", "pg01"], ["pg01", "pg02"]] {
            end(&cluster);
            cluster.start(order[0]);
            std::thread::sleep(Duration::from_secs(2));
            cluster.start(order[1]);
            let served = cluster.wait_for_write_through(POOL, "restarted");
            let healed = cluster.wait_healthy("pg02");
            println!(
                "both {how}, started as {order:?}: pg02 is primary, writable {served:.1?} after the last start, all well {healed:.1?} later"
            );
        }
    }
    assert_eq!(cluster.reign("pg02"), reign, "somebody was promoted");
    for (word, times) in [("before", "1"), ("after", "1"), ("restarted", "4")] {
        cluster.nodes.iter().for_each(|node| assert_eq!(cluster.count_of(node, word), times, "{word} on {node}"));
    }
}

impl Cluster {
    fn stop_nodes(&self) {
        self.nodes.iter().for_each(|node| {
            self.stop(node);
        });
    }

    fn kill_nodes(&self) {
        self.nodes.iter().for_each(|node| self.kill(node));
    }
}

/// Longer than FAILOVER_AFTER and the patience of a pgpool together.
const LONG_ENOUGH: Duration = Duration::from_secs(20);

/// It was away when the primary wrote and died: only an operator may decide for what it has.
#[test]
fn a_standby_that_was_away_does_not_win_silently() {
    let cluster = two_nodes("away");
    cluster.stop("pg02");
    cluster.wait_for_write_through(POOL, "while pg02 was away");
    cluster.kill("pg01");
    cluster.start("pg02");
    cluster.nobody_but("pg01", LONG_ENOUGH);
    cluster.start("pg01");
    let healed = cluster.wait_healthy("pg01");
    assert_eq!(cluster.count_of("pg02", "while pg02 was away"), "1");
    println!(
        "pg02 away while pg01 wrote and died: not promoted in {LONG_ENOUGH:.0?}; pg01 back: all well after {healed:.1?}, nothing lost"
    );

    cluster.stop("pg02");
    cluster.wait_for_write_through(POOL, "given up");
    cluster.kill("pg01");
    cluster.start("pg02");
    wait_until("pg02 serves", DEADLINE, || cluster.try_sql("pg02", "SELECT 1").ok());
    cluster.exec("pg02", &["pgcluster", "promote", "--because", "pg01 is lost for good", "--yes"]);
    let served = cluster.wait_for_write_through(POOL, "decided");
    cluster.start("pg01");
    cluster.wait_healthy("pg02");
    assert_eq!(cluster.count_of("pg01", "given up"), "0");
    println!(
        "the same, and an operator promoted pg02: writable {served:.1?} later, pg01 rejoined without the row that pg02 lacked"
    );
}

/// The look of an election finds nobody; then it is stopped, and before it locks anybody the primary is back and followed again.
/// Without synchronous replication a promotion would cut off what that one acknowledged meanwhile.
#[test]
fn an_election_that_the_primary_overtakes_ends_without_a_promotion() {
    const POINT: &str = "promote-needed";
    let cluster = Cluster::nodes("overtaken", 2).restart("unless-stopped").up();
    cluster.wait_healthy("pg01");
    cluster.sql_in("pg01", "phoenix", "CREATE TABLE orders_owner.witness (word text)");
    let reign = cluster.reign("pg01");
    cluster.kill("pg01");
    let container = cluster.container("pg02");
    let stop = format!("PGCLUSTER_STOP_AT={POINT}");
    let election = std::thread::spawn(move || {
        docker_output(&["exec", "-u", "50010", "-e", &stop, &container, "pgcluster", "promote", "--because", "test", "--yes"])
    });
    let stopped = "for p in /proc/[0-9]*; do if grep -q '^State:.T' $p/status; then echo ${p#/proc/}; fi; done";
    let pid = wait_until("the election to stop", DEADLINE, || {
        cluster.try_exec("pg02", &["sh", "-c", stopped]).ok().filter(|pid| !pid.is_empty())
    });
    let began = Instant::now();
    cluster.start("pg01");
    wait_until("pg02 to follow pg01 again", DEADLINE, || {
        let streams = "SELECT count(*) FROM pg_stat_replication WHERE state = 'streaming'";
        cluster.try_sql("pg01", streams).is_ok_and(|count| count == "1").then_some(())
    });
    assert!(cluster.acknowledges("pg01", "meanwhile"));
    cluster.exec("pg02", &["sh", "-c", &format!("kill -CONT {pid}")]);
    let said = String::from_utf8_lossy(&election.join().unwrap().stdout).trim().to_string();
    let said = said.lines().last().unwrap_or_default();
    println!("an election stopped at {POINT} for {:.1?}, pg01 back and followed meanwhile: {said}", began.elapsed());
    cluster.wait_healthy("pg01");
    assert_eq!(cluster.reign("pg01"), reign, "somebody was promoted");
    assert_eq!(cluster.count_of("pg02", "meanwhile"), "1");
}
