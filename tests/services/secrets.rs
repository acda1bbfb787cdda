//! Where a clear password must not be.

use crate::cluster::{Cluster, secrets};

pub fn nowhere(cluster: &Cluster) {
    for container in cluster.containers() {
        clean(&container.logs(), &format!("the log of {}", container.name));
        let processes = "for file in /proc/1/environ /proc/[0-9]*/cmdline; do tr '\\0' ' ' <$file; echo; done 2>/dev/null; true";
        clean(&container.exec(&["bash", "-c", processes]), &format!("the processes of {}", container.name));
        clean(
            &container.exec(&[
                "bash",
                "-c",
                "cat /etc/repmgr/*/repmgr.conf /etc/pgcluster/*.conf /etc/pgpool-II/p*.conf 2>/dev/null; true",
            ]),
            "files",
        );
    }
    for node in &cluster.nodes {
        let tables = "SELECT conninfo FROM repmgr.nodes UNION ALL SELECT details FROM repmgr.events \
                      UNION ALL SELECT current_setting('primary_conninfo') UNION ALL SELECT reason FROM pgcluster.epoch";
        clean(&node.sql("repmgr", tables), "repmgr's tables, primary_conninfo");
        clean(&node.exec(&["bash", "-c", "cat $PGDATA/*.conf $PGDATA/pgcluster.json"]), "the data directory");
    }
    let stored = cluster
        .primary()
        .sql("postgres", "SELECT count(*) FILTER (WHERE rolpassword LIKE 'SCRAM-SHA-256$%'), count(rolpassword) FROM pg_authid");
    let (scram, all) = stored.split_once('|').expect("two numbers");
    assert_eq!(scram, all, "only verifiers are stored");
}

/// `text` holds none of the passwords, nor a good piece of a long one.
fn clean(text: &str, what: &str) {
    for secret in secrets() {
        let piece: String = secret.chars().take(30).collect();
        assert!(!text.contains(&piece), "{what} shows {piece:?}");
    }
}
