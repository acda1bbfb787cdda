//! pgpool errs, or is asked to do the wrong thing: wrong passwords, many calls at once, a promotion that cannot succeed, nodes that it gave up.

use std::time::{Duration, Instant};

use crate::build::{POOL, SECOND_POOL};
use crate::docker::wait_until;
use crate::health::DEADLINE;
use crate::links::three_nodes;

/// As pgpool calls it for the lost primary pg01.
const FAILOVER: [&str; 14] = [
    "pgcluster",
    "failover",
    "0",
    "pg01",
    "5432",
    "/u01/pg17/data",
    "1",
    "pg02",
    "0",
    "0",
    "5432",
    "/u01/pg17/data",
    "pg01",
    "5432",
];

/// It says so, waits, and promotes nobody: a server that refuses a password lives.
#[test]
fn a_pgpool_with_a_wrong_password_promotes_nobody_and_says_what_is_wrong() {
    let mut cluster = three_nodes("password");
    let reign = cluster.reign("pg01");
    cluster.stop(POOL);
    cluster.remove_container(POOL);
    cluster.set_node_env(POOL, "REPMGRPWD", "not-the-password");
    cluster.start(POOL);
    cluster.wait_for_log(POOL, "password authentication failed", DEADLINE);
    cluster.nobody_but("pg01", Duration::from_secs(12));
    assert!(cluster.acknowledges("pg01", "beside a wrong password"));
    cluster.wait_nodes_healthy("pg01");
    let log = cluster.logs(POOL);
    assert!(!log.contains("not-the-password"), "{log}");

    cluster.clear_node_env(POOL);
    cluster.remove_container(POOL);
    cluster.start(POOL);
    let healed = cluster.wait_healthy("pg01");
    assert_eq!(cluster.reign("pg01"), reign, "somebody was promoted");
    println!("wrong REPMGRPWD in pgpool01 for 12 s: nobody promoted; with the right one all well after {healed:.1?}");
}

/// pgpool would take a failed login of its health check for a dead backend; the primary gives its role the right password again.
#[test]
fn a_health_check_that_cannot_log_in_promotes_nobody() {
    let cluster = three_nodes("check");
    let reign = cluster.reign("pg01");
    const VERIFIER: &str = "SELECT rolpassword FROM pg_authid WHERE rolname = 'pgpool'";
    // At once: a health check may come in between.
    let wrong = cluster.sql("pg01", &format!("ALTER ROLE pgpool PASSWORD 'another'; {VERIFIER}"));
    let began = Instant::now();
    wait_until("the role has its password again", DEADLINE, || (cluster.sql("pg01", VERIFIER) != wrong).then_some(()));
    let healed = began.elapsed();
    cluster.nobody_but("pg01", Duration::from_secs(12));
    assert!(cluster.acknowledges("pg01", "after pgpool could not log in"));
    let served = cluster.wait_for_write_through(POOL, "right again");
    cluster.wait_healthy("pg01");
    assert_eq!(cluster.reign("pg01"), reign, "somebody was promoted");
    println!(
        "the check role's password was changed: right again after {healed:.1?}, nobody promoted, writable after {served:.1?} more"
    );
}

#[test]
fn forty_failover_commands_of_two_pgpools_at_once_make_one_primary() {
    let cluster = three_nodes("forty");
    cluster.start_second_pool();
    cluster.kill("pg01");
    std::thread::scope(|scope| {
        for n in 0..40 {
            let cluster = &cluster;
            scope.spawn(move || cluster.try_exec(if n % 2 == 0 { POOL } else { SECOND_POOL }, &FAILOVER));
        }
    });
    let (next, _) = cluster.wait_for_successor("pg01");
    let epochs =
        cluster.sql_in(&next, "repmgr", "SELECT string_agg(epoch || ' ' || node, ', ' ORDER BY epoch) FROM pgcluster.epoch");
    assert_eq!(epochs, format!("1 pg01, 2 {next}"));
    let served: Vec<Duration> =
        [POOL, SECOND_POOL].iter().map(|pool| cluster.wait_for_write_through(pool, "after all")).collect();
    cluster.start("pg01");
    cluster.wait_healthy(&next);
    println!("pg01 killed, 40 failover commands from two pgpools: epochs {epochs}; both pgpools write ({served:.1?} later)");
}

/// One standby of two cannot be reached: a majority is missing until it is back, and the command ends all the same.
#[test]
fn a_failover_that_cannot_succeed_ends_and_is_made_up_for() {
    let cluster = three_nodes("hang");
    cluster.pause("pg02");
    cluster.kill("pg01");
    cluster.wait_for_log(POOL, "failover of node 0: no promotion", DEADLINE);
    let said = cluster.logs(POOL);
    let line = said.lines().find(|line| line.contains("failover of node 0: no promotion")).unwrap_or_default();
    assert_eq!(cluster.sql("pg03", "SELECT pg_is_in_recovery()"), "t", "pg03 was promoted without a majority");
    cluster.unpause("pg02");
    let (next, elected) = cluster.wait_for_successor("pg01");
    let served = cluster.wait_for_write_through(POOL, "with a majority");
    cluster.start("pg01");
    cluster.wait_healthy(&next);
    println!(
        "pg02 paused, pg01 killed: {line}\npg02 back: {next} is primary after {elected:.1?}, writable through pgpool {served:.1?} later"
    );
}

/// pgpool by itself would say "all backend nodes are down" for ever.
#[test]
#[ignore = "make faults"]
fn when_all_nodes_were_down_pgpool_serves_again_whoever_is_primary() {
    let cluster = three_nodes("down");
    cluster.kill("pg01");
    let (second, _) = cluster.wait_for_successor("pg01");
    cluster.start("pg01");
    cluster.wait_healthy(&second);

    cluster.nodes.iter().for_each(|node| cluster.kill(node));
    std::thread::sleep(Duration::from_secs(3));
    assert!(cluster.try_write_through(POOL, "nobody is there").is_err());
    let began = Instant::now();
    cluster.nodes.iter().for_each(|node| cluster.start(node));
    cluster.wait_for_write_through(POOL, "all are back");
    let served = began.elapsed();
    // Two standbys that are back before the former primary may elect.
    let (third, healed) = cluster.wait_all_well();
    println!(
        "{second} was primary, all nodes killed and started: {third} is, writable through the same pgpool after {served:.1?}, all well {healed:.1?} later"
    );

    // Everything anew, pgpool first, who might promote while the others go: number 0 is no reason to be primary.
    cluster.stop(POOL);
    cluster.stop_all();
    cluster.names().iter().for_each(|name| cluster.start(name));
    let (fourth, healed) = cluster.wait_all_well();
    cluster.wait_for_write_through(POOL, "restarted");
    println!("all stopped and started: {fourth} is primary, all well after {healed:.1?}");

    // It runs the failover command for a primary that lives.
    let reign = cluster.reign(&fourth);
    let number = cluster.nodes.iter().position(|node| *node == fourth).unwrap().to_string();
    let before = cluster.logs(POOL).matches(&format!("failover of node {number}: ")).count();
    cluster.exec(POOL, &["pcp_detach_node", "-w", "-h", "/run/pgpool", "-U", "pgpool", "-n", &number]);
    wait_until("pgpool's failover command looks at the detached node", DEADLINE, || {
        (cluster.logs(POOL).matches(&format!("failover of node {number}: ")).count() > before).then_some(())
    });
    let served = cluster.wait_for_write_through(POOL, "detached by hand");
    cluster.wait_healthy(&fourth);
    assert_eq!(cluster.reign(&fourth), reign, "somebody was promoted");
    println!("pcp_detach_node of {fourth}: nobody promoted, writable again after {served:.1?}");
}
