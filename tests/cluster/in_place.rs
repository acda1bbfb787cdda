//! A node that comes back keeps its data directory; what diverged is rewound, and copied only where that is impossible.

use std::time::Instant;

use crate::build::Cluster;

#[test]
fn a_node_that_comes_back_keeps_its_data_directory() {
    let cluster = Cluster::nodes("place", 2).up();
    cluster.wait_healthy("pg01");
    let place =
        |cluster: &Cluster| cluster.exec("pg02", &["stat", "-c", "%i", "/u01/pg17/data", "/u01/pg17/data/global/pg_control"]);
    let before = place(&cluster);
    for fault in [Cluster::kill, |cluster: &Cluster, node: &str| {
        cluster.stop(node);
    }] {
        fault(&cluster, "pg02");
        cluster.sql("pg01", "CREATE TABLE IF NOT EXISTS meanwhile (n int); INSERT INTO meanwhile VALUES (1)");
        let began = Instant::now();
        cluster.start("pg02");
        cluster.wait_healthy("pg01");
        let log = cluster.logs_of_this_start("pg02");
        assert!(log.contains("follow node 0: ") && !log.contains("copied"), "{log}");
        assert_eq!(place(&cluster), before);
        println!("a standby is back in place and healthy after {:.1?}", began.elapsed());
    }

    cluster.diverge("pg01", "pg02", 2);
    let began = Instant::now();
    cluster.start("pg01");
    cluster.wait_healthy("pg02");
    cluster.assert_rejoined("pg01", 2);
    let log = cluster.logs_of_this_start("pg01");
    assert!(log.contains("rewound onto pg02") && !log.contains("copied"), "{log}");
    println!("a diverged former primary is rewound and healthy after {:.1?}", began.elapsed());

    cluster.diverge("pg02", "pg01", 3);
    cluster.in_volume("pg02", "find data/pg_wal -maxdepth 1 -type f -name '0*' -delete");
    let lost = cluster.in_volume("pg02", "stat -c %i data");
    let began = Instant::now();
    cluster.start("pg02");
    cluster.wait_healthy("pg01");
    cluster.assert_rejoined("pg02", 3);
    let log = cluster.logs_of_this_start("pg02");
    assert!(log.contains("copying beside the old data") && log.contains("copied /u01/pg17/data from pg01"), "{log}");
    println!("one without its WAL is copied anew and healthy after {:.1?}", began.elapsed());
    // Kept until the new data streams; a health check may have found that it does.
    if let Ok(kept) = cluster.try_exec("pg02", &["stat", "-c", "%i", "/u01/pg17/data.old"]) {
        assert_eq!(kept, lost, "what is kept is not the old data");
    }
}
