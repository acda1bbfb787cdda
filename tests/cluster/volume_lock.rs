//! Two containers on one volume: one serves, the other waits and takes over.

use std::time::Duration;

use crate::build::Cluster;
use crate::docker::{docker, logs, try_docker, wait_until};
use crate::health::DEADLINE;

fn the_second_waits_for_the_first(mount: &str, said: &str) {
    let cluster = Cluster::nodes("lock", 1).mount(mount).up();
    cluster.wait_writable();
    cluster.sql("pg01", "CREATE TABLE witness (word text); INSERT INTO witness VALUES ('first')");

    let second = cluster.container("second");
    cluster.run_as("pg01", &second, &[]);
    wait_until("the second says who holds the volume", DEADLINE, || logs(&second).contains(said).then_some(()));
    std::thread::sleep(Duration::from_secs(2));
    assert_eq!(docker(&["inspect", "-f", "{{.State.Running}}", &second]), "true");
    cluster.sql("pg01", "INSERT INTO witness VALUES ('second')");

    cluster.kill("pg01");
    let psql = ["exec", &second, "psql", "-XAtq", "-U", "postgres", "-c", "SELECT word FROM witness"];
    let words = wait_until("the second serves", DEADLINE, || try_docker(&psql).ok());
    assert_eq!(words, "first\nsecond");
    println!("volume at {mount}: the second container waited, and served all rows after the first was killed");
}

#[test]
fn on_a_volume_above_the_data_directory() {
    the_second_waits_for_the_first("/u01/pg17", "wait for the volume: another container (pg01 since ");
}

/// As people mount the official image's volume.
#[test]
fn on_a_volume_that_is_the_data_directory() {
    the_second_waits_for_the_first("/u01/pg17/data", "wait for the volume: another container holds /u01/pg17/data");
}
