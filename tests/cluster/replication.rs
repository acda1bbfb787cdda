//! WAL that differs, lacks, is ahead or cannot be replayed: the most advanced node wins, and all others come back onto its history.

use std::time::Instant;

use crate::build::{Cluster, POOL};
use crate::docker::wait_until;
use crate::health::DEADLINE;
use crate::links::three_nodes;

impl Cluster {
    /// Cuts the primary off, lets it write what nobody else has, and waits for another. Returns both.
    #[track_caller]
    fn diverge_by_cut(&self, word: &str) -> (String, String) {
        let old = self.primary().expect("a healthy cluster has a primary");
        self.cut(&old);
        assert!(!self.acknowledges(&old, word), "{old} acknowledged a write that no standby has");
        let (next, _) = self.wait_for_successor(&old);
        (old, next)
    }

    #[track_caller]
    fn logged_line(&self, node: &str, text: &str) -> String {
        let find = || self.logs(node).lines().rfind(|line| line.contains(text)).map(str::to_string);
        wait_until(&format!("{node} logs {text:?}"), DEADLINE, find)
    }

    #[track_caller]
    fn write_wal(&self, node: &str, megabytes: usize) {
        let message = "pg_logical_emit_message(true, 'test', repeat('x', 1048576))";
        self.sql(node, &format!("SELECT count({message}) FROM generate_series(1, {megabytes})"));
    }
}

#[test]
fn a_diverged_primary_is_rewound_and_where_that_is_impossible_copied() {
    let cluster = three_nodes("diverged");
    let (old, next) = cluster.diverge_by_cut("first alone");
    cluster.heal(&old);
    let rewound = cluster.logged_line(&old, "rewound onto");
    cluster.wait_healthy(&next);
    println!("{old} wrote alone, {next} was promoted: {rewound}");

    let (old, next) = cluster.diverge_by_cut("second alone");
    cluster.kill(&old);
    cluster.in_volume(&old, "find data/pg_wal -maxdepth 1 -type f -name '0*' -delete");
    cluster.heal(&old);
    cluster.start(&old);
    let copied = cluster.logged_line(&old, "copying beside the old data");
    cluster.wait_healthy(&next);
    wait_until("the old data are gone once the new stream", DEADLINE, || {
        (!cluster.in_volume(&old, "ls -A").contains("data.old")).then_some(())
    });
    println!("{old} wrote alone and lost its WAL, {next} was promoted: {copied}");
    for word in ["first alone", "second alone"] {
        cluster.nodes.iter().for_each(|node| assert_eq!(cluster.count_of(node, word), "0", "{node}"));
    }
}

/// pg02 would win every tie; it lacks what pg03 acknowledged.
#[test]
fn the_standby_that_has_more_is_promoted() {
    let cluster = three_nodes("ahead");
    cluster.cut_between("pg01", "pg02");
    cluster.wait_for_write_through(POOL, "pg03 has it");
    assert_eq!(cluster.count_of("pg02", "pg03 has it"), "0");
    cluster.kill("pg01");
    cluster.heal_between("pg01", "pg02");
    let (next, _) = cluster.wait_for_successor("pg01");
    assert_eq!((next.as_str(), cluster.count_of(&next, "pg03 has it").as_str()), ("pg03", "1"));
    cluster.start("pg01");
    let healed = cluster.wait_healthy("pg03");
    println!(
        "pg02 lacked a row that pg03 had acknowledged, pg01 killed: pg03 was promoted; all well {healed:.1?} after pg01 was started"
    );
}

/// Somebody promotes the wrong one by hand: whoever is ahead gives its surplus up.
#[test]
#[ignore = "make faults"]
fn a_standby_ahead_of_the_one_that_was_promoted_by_hand_comes_back() {
    let cluster = Cluster::nodes("beyond", 3).restart("unless-stopped").up();
    cluster.wait_healthy("pg01");
    cluster.sql("pg01", "CREATE TABLE surplus (n int)");
    cluster.cut_between("pg01", "pg02");
    cluster.sql("pg01", "INSERT INTO surplus VALUES (1)");
    cluster.kill("pg01");
    cluster.heal_between("pg01", "pg02");
    cluster.promote("pg02", 2);
    cluster.start("pg01");
    let healed = cluster.wait_healthy("pg02");
    cluster.sql("pg02", "INSERT INTO surplus VALUES (2)");
    wait_until("all nodes have pg02's rows, and only those", DEADLINE, || {
        cluster.nodes.iter().all(|node| cluster.sql(node, "SELECT string_agg(n::text, ' ') FROM surplus") == "2").then_some(())
    });
    println!(
        "pg02 promoted by hand, pg03 and pg01 ahead of it: all follow it after {healed:.1?}, without the row that it lacked"
    );
}

/// PostgreSQL pauses replay on a standby whose max_connections is smaller than the primary's, and a promotion then ends that server.
#[test]
#[ignore = "make faults"]
fn a_standby_with_too_small_parameters_is_not_promoted_and_recovers() {
    let mut cluster =
        Cluster::nodes("small", 3).env("FAILOVER_MODE", "auto").env("FAILOVER_AFTER", "60").restart("unless-stopped").up();
    cluster.wait_healthy("pg01");
    cluster.sql("pg01", "CREATE TABLE after_all (n int)");
    for node in ["pg03", "pg01"] {
        cluster.set_node_env(node, "PGCONF_max_connections", "400");
        cluster.stop(node);
        cluster.remove_container(node);
        cluster.start(node);
        cluster.wait_writable();
    }
    wait_until("pg02 stops to replay", DEADLINE, || {
        // Its health check restarts it soon after: then there is nothing left to see.
        let state = cluster.try_sql("pg02", "SELECT pg_get_wal_replay_pause_state(), current_setting('max_connections')");
        (state.as_deref() == Ok("paused|300")).then_some(())
    });
    cluster.kill("pg01");
    let said = cluster.exec("pg03", &["pgcluster", "promote", "--because", "test", "--yes"]);
    let (next, _) = cluster.wait_for_successor("pg01");
    assert_eq!(next, "pg03", "{said}");
    cluster.start("pg01");
    cluster.wait_healthy("pg03");
    cluster.sql("pg03", "INSERT INTO after_all VALUES (1)");
    wait_until("pg02 replays again", DEADLINE, || (cluster.sql("pg02", "SELECT count(*) FROM after_all") == "1").then_some(()));
    println!(
        "max_connections 400 on pg01, pg02 paused with 300, pg01 killed: pg03 was promoted; pg02 replays again with {}",
        cluster.sql("pg02", "SHOW max_connections")
    );
}

impl Cluster {
    /// Lets the primary begin a record of 64 MB, which takes it seconds, and waits until these have more than a segment of it.
    fn with_half_a_record(&self, primary: &str, standbys: &[&str], then: impl FnOnce()) {
        self.limit_cpu(primary, "0.2");
        std::thread::scope(|scope| {
            scope.spawn(|| self.try_sql(primary, "SELECT pg_logical_emit_message(true, 'test', repeat('x', 64000000))"));
            let half = "SELECT pg_wal_lsn_diff(pg_last_wal_receive_lsn(), pg_last_wal_replay_lsn()) > 20000000";
            wait_until("they have more than a segment of a record", DEADLINE, || {
                standbys.iter().all(|node| self.sql(node, half) == "t").then_some(())
            });
            then();
            self.kill(primary);
        });
        self.limit_cpu(primary, "2");
    }
}

/// The first half crossed the end of a segment, the second died with the primary. Whoever follows asks for what comes after the first.
#[test]
#[ignore = "make faults"]
fn half_a_record_is_given_up() {
    let cluster = three_nodes("half");
    cluster.with_half_a_record("pg01", &["pg02", "pg03"], || {});
    let (next, _) = cluster.wait_for_successor("pg01");
    let rejoined = wait_until("the other standby streams", DEADLINE, || {
        (cluster.sql(&next, "SELECT count(*) FROM pg_stat_replication WHERE state = 'streaming'") == "1").then(Instant::now)
    });
    cluster.start("pg01");
    cluster.wait_healthy(&next);
    println!(
        "pg01 killed in the middle of a record of 64 MB: {next} is primary, all well {:.1?} after the first standby",
        rejoined.elapsed()
    );
}

/// It said goodbye, and pg_rewind would find nothing to do: the half was never replayed.
#[test]
#[ignore = "make faults"]
fn a_standby_that_was_stopped_with_half_a_record_is_rewound() {
    let cluster = three_nodes("half-stop");
    cluster.cut_between("pg01", "pg02");
    cluster.with_half_a_record("pg01", &["pg03"], || {
        cluster.stop("pg03");
    });
    cluster.heal_between("pg01", "pg02");
    wait_until("pg02 is promoted by force", DEADLINE, || {
        cluster.try_exec("pg02", &["pgcluster", "promote", "--force", "--because", "test", "--yes"]).ok()
    });
    cluster.start("pg03");
    println!("{}", cluster.logged_line("pg03", "rewind onto"));
    println!("{}", cluster.logged_line("pg03", "rewound onto"));
    cluster.start("pg01");
    let healed = cluster.wait_healthy("pg02");
    println!("pg03 stopped with half a record, which pg02 never had: all well {healed:.1?} after pg01 was started");
}

/// A standby that is away keeps WAL on the primary up to a limit. Beyond it the standby copies everything anew, by itself.
#[test]
fn a_standby_whose_wal_is_gone_from_the_primary_comes_back() {
    let cluster = Cluster::nodes("gone", 3).env("PGCONF_max_slot_wal_keep_size", "64MB").env("PGCONF_wal_keep_size", "0");
    let cluster = cluster.restart("unless-stopped").up();
    cluster.wait_healthy("pg01");
    cluster.stop("pg03");
    cluster.write_wal("pg01", 256);
    cluster.sql("pg01", "CHECKPOINT");
    let slot = "SELECT wal_status FROM pg_replication_slots WHERE slot_name = 'repmgr_slot_3'";
    assert_eq!(cluster.sql("pg01", slot), "lost");
    let kept = cluster.sql("pg01", "SELECT (sum(size) / 1048576)::int FROM pg_ls_waldir() WHERE name ~ '^[0-9A-F]{24}$'");
    cluster.start("pg03");
    let healed = cluster.wait_healthy("pg01");
    println!("pg03 away for 256 MB of WAL, slot lost, {kept} MB left on pg01: all well {healed:.1?} after pg03 was started");
}

/// Without a limit of the operator's there is one all the same, and a slot that nobody uses is told.
#[test]
fn no_slot_keeps_wal_without_a_limit_or_unnoticed() {
    let cluster = Cluster::nodes("limit", 2).up();
    cluster.wait_healthy("pg01");
    for node in &cluster.nodes {
        let limit = cluster.sql(node, "SELECT setting FROM pg_settings WHERE name = 'max_slot_wal_keep_size'");
        assert_ne!(limit, "-1", "{node}");
        println!("{node}: max_slot_wal_keep_size is {limit} MB");
    }
    cluster.sql("pg01", "SELECT pg_create_physical_replication_slot('forgotten', true)");
    let told = wait_until("the health check tells of the slot", DEADLINE, || {
        let said = cluster.inspect("pg01", "{{range .State.Health.Log}}{{.Output}}{{end}}");
        said.lines().find(|line| line.contains("slot forgotten")).map(str::to_string)
    });
    assert_eq!(
        cluster.sql("pg01", "SELECT count(*) FROM pg_replication_slots WHERE slot_name = 'forgotten'"),
        "1",
        "it was dropped"
    );
    println!("a slot of nobody's: {told}");
}
