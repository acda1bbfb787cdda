//! All go down and not all come back, or not in a good order; and promotions that nobody may make.

use std::time::{Duration, Instant};

use crate::build::{Cluster, POOL};
use crate::links::three_nodes;
use crate::writers::Writers;

/// Longer than a standby, a pgpool and a starting pgpool wait before they promote.
const PATIENCE: Duration = Duration::from_secs(25);

/// The standbys wait for the primary that resumes; the start of the last one counts.
#[test]
fn all_killed_and_the_standbys_started_first_are_soon_writable() {
    let cluster = three_nodes("power");
    let writers = Writers::everywhere(&cluster);
    std::thread::sleep(Duration::from_secs(1));
    cluster.kill_all();
    for name in ["pg02", "pg03", POOL] {
        cluster.start(name);
    }
    std::thread::sleep(Duration::from_secs(2));
    let began = Instant::now();
    cluster.start("pg01");
    let served = cluster.wait_for_write_through(POOL, "after all were killed");
    let writable = began.elapsed();
    let (primary, _) = cluster.wait_all_well();
    println!(
        "all killed, standbys started 2 s before pg01: {primary} is primary; writable through pgpool {writable:.1?} after the start of \
         pg01 was ordered, {served:.1?} after it was done; {}",
        writers.finish().assert_kept(&cluster)
    );
}

/// Nothing was lost with pg01 that the other two do not have: together they may go on.
#[test]
fn when_the_last_primary_never_returns_the_rest_goes_on() {
    let cluster = three_nodes("gone");
    let writers = Writers::everywhere(&cluster);
    std::thread::sleep(Duration::from_secs(1));
    cluster.kill_all();
    cluster.remove_container("pg01");
    let began = Instant::now();
    for name in ["pg02", "pg03", POOL] {
        cluster.start(name);
    }
    cluster.wait_for_write_through(POOL, "without pg01");
    let writable = began.elapsed();
    let (next, _) = cluster.wait_for_successor("pg01");
    println!("all killed, pg01 removed, the rest started: {next} is primary, writable after {writable:.1?}");
    cluster.start("pg01");
    let healed = cluster.wait_healthy(&next);
    println!("pg01 returns: all well after {healed:.1?}; {}", writers.finish().assert_kept(&cluster));
}

/// What the primary and one standby have acknowledged the third may not have.
#[test]
fn the_last_of_three_does_not_go_on_alone() {
    let cluster = three_nodes("third");
    let writers = Writers::everywhere(&cluster);
    std::thread::sleep(Duration::from_secs(1));
    cluster.kill("pg02");
    std::thread::sleep(Duration::from_secs(1));
    cluster.kill_all_of(&["pg01", "pg03"]);
    cluster.start("pg02");
    cluster.nobody_but("pg01", PATIENCE);
    println!("pg02 died, then pg01 and pg03: pg02 alone is not promoted in {PATIENCE:?}");
    cluster.start("pg03");
    let (next, elected) = cluster.wait_for_successor("pg01");
    assert_eq!(next, "pg03", "pg02 does not have everything");
    println!("pg03 is back: it is primary after {elected:.1?}");
    cluster.start("pg01");
    let healed = cluster.wait_healthy(&next);
    println!("pg01 is back: all well after {healed:.1?}; {}", writers.finish().assert_kept(&cluster));
}

#[test]
fn in_manual_mode_only_an_operator_promotes() {
    let cluster = Cluster::nodes("manual", 3).pgpool().env("FAILOVER_MODE", "manual").restart("unless-stopped").up();
    cluster.wait_healthy("pg01");
    let writers = Writers::everywhere(&cluster);
    std::thread::sleep(Duration::from_secs(1));
    cluster.kill("pg01");
    cluster.nobody_but("pg01", PATIENCE);
    cluster.stop(POOL);
    cluster.start(POOL);
    cluster.nobody_but("pg01", Duration::from_secs(10));
    let began = Instant::now();
    cluster.exec("pg02", &["pgcluster", "promote", "--because", "test", "--yes"]);
    let (next, _) = cluster.wait_for_successor("pg01");
    println!(
        "FAILOVER_MODE=manual, pg01 killed, pgpool restarted: nobody promoted; ordered: {next} after {:.1?}",
        began.elapsed()
    );
    cluster.start("pg01");
    cluster.wait_healthy(&next);
    println!("{}", writers.finish().assert_kept(&cluster));
}

/// pg02 would win every tie.
#[test]
fn a_node_that_is_not_allowed_to_fail_over_is_never_promoted() {
    let list = "0:pg01:5432:1:/u01/pg17/data:ALLOW_TO_FAILOVER,1:pg02:5432:1:/u01/pg17/data:DISALLOW_TO_FAILOVER,\
                2:pg03:5432:1:/u01/pg17/data:ALLOW_TO_FAILOVER";
    let wish = Cluster::nodes("disallow", 3).pgpool().env("FAILOVER_MODE", "auto").env("PG_BACKEND_NODE_LIST", list);
    let cluster = wish.restart("unless-stopped").up();
    cluster.wait_healthy("pg01");
    let writers = Writers::everywhere(&cluster);
    for old in ["pg01", "pg03"] {
        cluster.kill(old);
        let (next, elected) = cluster.wait_for_successor(old);
        assert_ne!(next, "pg02");
        println!("{old} killed, pg02 not allowed to fail over: {next} is primary after {elected:.1?}");
        cluster.start(old);
        cluster.wait_healthy(&next);
    }
    println!("{}", writers.finish().assert_kept(&cluster));
}
