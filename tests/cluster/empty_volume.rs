//! Volumes that were lost, and volumes of others: never a second cluster beside the data, never a byte of foreign data touched.

use std::time::Duration;

use crate::build::Cluster;
use crate::docker::wait_until;
use crate::health::DEADLINE;

const SYSTEM_ID: &str = "SELECT system_identifier FROM pg_control_system()";

fn three_nodes_with_data(test: &str) -> (Cluster, String) {
    let cluster = Cluster::nodes(test, 3).up();
    cluster.wait_healthy("pg01");
    cluster.sql("pg01", "CREATE TABLE witness (word text); INSERT INTO witness VALUES ('old')");
    let system_id = cluster.sql("pg01", SYSTEM_ID);
    cluster.stop_all();
    (cluster, system_id)
}

#[test]
fn an_emptied_bootstrap_node_waits_for_the_data_and_copies_it() {
    let (cluster, system_id) = three_nodes_with_data("empty");
    cluster.remove_volume("pg01");

    cluster.start("pg01");
    cluster.wait_for_log("pg01", "no answer from nodes 1, 2, which may have it", DEADLINE);
    cluster.start("pg02");
    cluster.wait_for_log("pg01", "node 1 may have it and no primary is up", DEADLINE);
    // Longer than any patience of a start decision.
    std::thread::sleep(Duration::from_secs(11));
    assert_eq!(cluster.sql("pg02", "SELECT pg_is_in_recovery()"), "t");
    assert!(cluster.is_running("pg01") && !cluster.has_data("pg01"), "initdb beside a node that has the data");

    cluster.start("pg03");
    cluster.promote("pg02", 2);
    cluster.stop("pg03");
    cluster.start("pg03");
    let took = cluster.wait_healthy("pg02");
    assert_eq!(cluster.sql("pg01", SYSTEM_ID), system_id);
    assert_eq!(cluster.sql("pg01", "SELECT word FROM witness"), "old");
    println!(
        "emptied pg01 waited, then copied pg02: healthy {took:.1?} after the promotion, system identifier {system_id} as before"
    );
}

#[test]
fn with_most_data_lost_only_an_order_begins_a_new_cluster_and_the_old_data_stays_as_it_is() {
    let (cluster, old_id) = three_nodes_with_data("loss");
    let before = cluster.fingerprint("pg03");
    for node in ["pg01", "pg02"] {
        cluster.remove_volume(node);
        cluster.start(node);
    }
    for node in ["pg01", "pg02"] {
        cluster.wait_for_log(node, "no answer from node 2, which may have it", DEADLINE);
        cluster.wait_for_log(node, "pgcluster bootstrap --because", DEADLINE);
        assert!(!cluster.has_data(node), "initdb on {node} while pg03 may have the data");
    }

    let said = cluster.try_exec("pg01", &["pgcluster", "bootstrap", "--because", "test"]).expect_err("a plan alone");
    assert!(said.contains("LOST for the cluster: whatever pg03") && said.contains("say --yes to go on"), "{said}");
    assert!(!cluster.has_data("pg01"), "initdb without consent");
    cluster.exec("pg01", &["pgcluster", "bootstrap", "--because", "test", "--yes"]);
    let new_id = wait_until("pg01 begins a new cluster", DEADLINE, || cluster.try_sql("pg01", SYSTEM_ID).ok());
    let reasons =
        "SELECT reason FROM pgcluster.epoch UNION ALL SELECT details FROM repmgr.events WHERE event = 'cluster_created'";
    assert_eq!(cluster.sql_in("pg01", "repmgr", reasons), "initdb, ordered: test\nepoch 1: initdb, ordered: test");
    assert_ne!(new_id, old_id);

    // Data of another cluster, mounted at a node of this one.
    cluster.start("pg03");
    let code = cluster.wait_for_exit("pg03", DEADLINE);
    let log = cluster.logs_of_this_start("pg03");
    assert_ne!(code, 0, "{log}");
    assert!(log.contains(&format!("system identifier {old_id} here, {new_id} on the primary")), "{log}");
    assert_eq!(cluster.fingerprint("pg03"), before, "the foreign volume was touched");

    let copy_id = wait_until("pg02 copies the new cluster", DEADLINE, || cluster.try_sql("pg02", SYSTEM_ID).ok());
    assert_eq!(copy_id, new_id);
    println!(
        "double loss: waited for node 2; after the order {old_id} became {new_id}; pg03 refused with code {code}, untouched"
    );
}
