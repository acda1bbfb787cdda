//! The worst day of a cluster, searched; and the planted leaks, found.

use std::time::{Duration, Instant};

use pgcluster::render::check_role::{check_password, watchdog_key};
use pgcluster::spec::Secret;

use crate::build::{Cluster, POOL};
use crate::docker::wait_until;
use crate::forms::{self, Form};
use crate::health::DEADLINE;
use crate::search::{self, search};
use crate::watcher::Watcher;

/// Characters that no encoding leaves alone.
const SECRETS: [(&str, &str); 5] = [
    ("REPMGRPWD", "Rep/lic+ation:5aa1-%secret"),
    ("POSTGRES_PASSWORD", "Sup/er+user:7bb2-%secret"),
    ("PCPPWD", "Pcp/ad+min:9cc3-%secret"),
    ("MSOWNERPWDLIST", "Own/er+of:1dd4-%secret"),
    ("MSUSERPWDLIST", "Us/er+of:3ee5-%secret"),
];

/// What `REPMGRPWD` becomes in the middle of the day.
const CHANGED: &str = "Rot/at+ed:8ff6-%secret";

/// The planted leak, and what the search says of it.
const LEAKS: [(&str, &str); 11] = [
    ("log", "log of pg02: REPMGRPWD, clear"),
    ("log-base64", "log of pg02: REPMGRPWD, base64"),
    ("log-url", "log of pg02: REPMGRPWD, url"),
    ("argv", "arguments of a process: REPMGRPWD, clear"),
    ("environ", "environment of a process: REPMGRPWD, clear"),
    ("file-mode", "file of pg02: /run/pgcluster/pgpass, mode 644"),
    ("temporary-file", "file of pg02: /tmp/pgcluster.debug, mode 644"),
    ("core-file", "file of pg02: /u01/pg17/data/core.7, mode 600"),
    ("auto-conf", "pg_settings on pg02: REPMGRPWD, clear"),
    ("repmgr-nodes", "repmgr.nodes on PRIMARY: REPMGRPWD, clear"),
    ("activity", "pg_stat_activity on PRIMARY: REPMGRPWD, clear"),
];

fn forms() -> Vec<Form> {
    let (first, changed) = (Secret::new(SECRETS[0].1), Secret::new(CHANGED));
    let mut secrets = SECRETS.map(|(name, secret)| (name, secret.to_string())).to_vec();
    secrets[0].0 = "REPMGRPWD_PREVIOUS";
    secrets.push(("REPMGRPWD", CHANGED.to_string()));
    for password in [&first, &changed] {
        secrets.push(("the check role's password", check_password(password).expose().to_string()));
        secrets.push(("the watchdog's key", watchdog_key(password).expose().to_string()));
    }
    forms::of(&secrets)
}

fn cluster() -> Cluster {
    let wish = Cluster::nodes("secrets", 3).pgpool().restart("unless-stopped");
    let wish = SECRETS.iter().fold(wish, |wish, (name, secret)| wish.env(name, secret)).secret_files();
    // Everything that the servers and we can be made to say.
    let wish = wish.env("LOG_LEVEL", "debug").env("PGCONF_log_statement", "all").env("PGCONF_log_connections", "on");
    wish.env("PGCONF_log_replication_commands", "on").env("FAILOVER_MODE", "auto").up()
}

#[test]
fn passwords_are_nowhere_and_planted_leaks_are_found() {
    let forms = forms();
    let watcher = Watcher::start(&forms);
    let mut cluster = cluster();
    cluster.wait_nodes_healthy("pg01");
    clean(&cluster, &watcher, &forms, "initdb and clones");
    // A crash that would leave a core file, names that do not resolve, a failover, a rejoin.
    assert_eq!(search::core_limit(&cluster, "pg03"), "0", "the server may write no core files");
    // The container may end before the command says that it did.
    let _ = cluster.try_exec("pg03", &["sh", "-c", "kill -SEGV $(pgrep -f walreceiver)"]);
    cluster.cut("pg02");
    std::thread::sleep(Duration::from_secs(8));
    cluster.heal("pg02");
    wait_until("all three follow again", DEADLINE, || cluster.find_illness("pg01").is_none().then_some(()));
    cluster.kill("pg01");
    let next = wait_until("another primary", DEADLINE, || cluster.primary());
    cluster.start("pg01");
    cluster.wait_nodes_healthy(&next);
    wait_until("pgpool is content", DEADLINE, || (cluster.inspect(POOL, "{{.State.Health.Status}}") == "healthy").then_some(()));
    clean(&cluster, &watcher, &forms, "a crash, a cut, a failover and a rejoin");
    change_password(&mut cluster);
    clean(&cluster, &watcher, &forms, "a reload with another REPMGRPWD");
    finds_planted_leaks(&mut cluster, &watcher, &forms, &next);
}

/// In place; who is made again later is told both.
fn change_password(cluster: &mut Cluster) {
    cluster.set_secret("REPMGRPWD", CHANGED);
    cluster.set_secret("REPMGRPWD_PREVIOUS", SECRETS[0].1);
    cluster.set_env("REPMGRPWD_PREVIOUS_FILE", "/run/secrets/REPMGRPWD_PREVIOUS");
    cluster.names().iter().for_each(|name| drop(cluster.exec(name, &["pgcluster", "reload", "--yes"])));
    // The password in a file: the watcher sees the environment of this psql too.
    let with_password = "umask 077; file=$(mktemp); sed 's/[:\\\\]/\\\\&/g; s/^/*:*:*:*:/' /run/secrets/REPMGRPWD >$file; \
                         PGPASSFILE=$file psql -XAtqw 'host=pg01 user=repmgr dbname=repmgr sslmode=require' -c 'SELECT 1'; \
                         code=$?; rm $file; exit $code";
    wait_until("the new password is taken", DEADLINE, || cluster.try_exec("pg03", &["sh", "-c", with_password]).ok());
}

#[track_caller]
fn clean(cluster: &Cluster, watcher: &Watcher, forms: &[Form], after: &str) {
    let began = Instant::now();
    let found = search(cluster, watcher, forms);
    assert!(found.is_empty(), "after {after}: {found:#?}");
    println!("after {after}: nothing found in {:.1?}", began.elapsed());
}

/// All at once, because each is found at a place of its own: the search would fail for any one of them.
fn finds_planted_leaks(cluster: &mut Cluster, watcher: &Watcher, forms: &[Form], primary: &str) {
    if primary == "pg02" {
        // A leaking node must be one that joins.
        cluster.kill("pg02");
        wait_until("a primary other than pg02", DEADLINE, || cluster.primary());
    }
    let names: Vec<&str> = LEAKS.iter().map(|(name, _)| *name).collect();
    cluster.set_node_env("pg02", "PGCLUSTER_LEAK", &names.join(","));
    cluster.remove_container("pg02");
    cluster.start("pg02");
    let primary = wait_until("pg02 is back", DEADLINE, || {
        cluster.try_sql("pg02", "SELECT 1").ok()?;
        cluster.primary()
    });
    let expected: Vec<_> = LEAKS.iter().map(|(name, finding)| (name, finding.replace("PRIMARY", &primary))).collect();
    let found = search(cluster, watcher, forms);
    let missed: Vec<_> = expected.iter().filter(|(_, finding)| !found.contains(finding)).collect();
    assert!(missed.is_empty(), "planted and not found: {missed:#?}, found: {found:#?}");
    println!("{} planted leaks, all found", expected.len());
}
