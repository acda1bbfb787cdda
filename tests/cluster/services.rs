//! MSLIST and its passwords: what a restart makes of a list that changed.

use std::time::Instant;

use crate::build::{Cluster, OWNER_PASSWORD, USER_PASSWORD};
use crate::docker::try_docker;

const MARKER: [&str; 4] = ["stat", "-c", "%y %i", "/u01/pg17/data/pgcluster.json"];

impl Cluster {
    fn wish_services(&mut self, names: &str, owners: &str, users: &str) {
        for (name, value) in [("MSLIST", names), ("MSOWNERPWDLIST", owners), ("MSUSERPWDLIST", users)] {
            self.set_env(name, value);
        }
    }

    /// The node's container anew, with the environment of now.
    fn renew(&self, node: &str) {
        self.stop(node);
        self.remove_container(node);
        self.start(node);
    }

    /// Logs in over TCP as a client would, from pg02.
    fn login(&self, role: &str, password: &str) -> Result<String, String> {
        let password = format!("PGPASSWORD={password}");
        let psql = ["psql", "-XAtq", "host=pg01 dbname=phoenix sslmode=require connect_timeout=5", "-U", role, "-c", "SELECT 1"];
        try_docker(&[&["exec", "-e", &password, &self.container("pg02")], psql.as_slice()].concat())
    }
}

#[test]
fn a_changed_list_is_made_true_at_the_next_start_of_any_node() {
    let mut cluster = Cluster::nodes("services", 2).up();
    cluster.wait_healthy("pg01");
    assert_eq!(cluster.login("orders_user", USER_PASSWORD).as_deref(), Ok("1"));

    let marker = cluster.exec("pg01", &MARKER);
    cluster.renew("pg01");
    cluster.wait_healthy("pg01");
    assert_eq!(cluster.exec("pg01", &MARKER), marker, "an unchanged list was worked on");

    // A standby that starts with a longer list makes it true on the primary.
    cluster.wish_services("orders,billing", &format!("{OWNER_PASSWORD},b-owner"), &format!("{USER_PASSWORD},b-user"));
    cluster.renew("pg02");
    cluster.wait_healthy("pg01");
    assert_eq!(cluster.login("billing_user", "b-user").as_deref(), Ok("1"));
    assert_eq!(cluster.login("billing_owner", "b-owner").as_deref(), Ok("1"));
    let grants = "SET ROLE billing_owner; CREATE TABLE billing_owner.t (n int); SET ROLE billing_user; INSERT INTO billing_owner.t VALUES (1)";
    cluster.sql_in("pg01", "phoenix", grants);

    cluster.wish_services("orders,billing", &format!("{OWNER_PASSWORD},b-owner"), "new-secret,b-user");
    cluster.renew("pg01");
    cluster.wait_healthy("pg01");
    assert_eq!(cluster.login("orders_user", "new-secret").as_deref(), Ok("1"));
    assert!(cluster.login("orders_user", USER_PASSWORD).is_err(), "the old password still works");
    let log = cluster.logs("pg01");
    assert!(log.contains("changed the password of orders_user") && !log.contains("new-secret"), "{log}");

    cluster.wish_services("billing", "b-owner", "b-user");
    cluster.renew("pg01");
    cluster.wait_healthy("pg01");
    assert!(cluster.logs("pg01").contains("service orders is no longer in MSLIST"), "{}", cluster.logs("pg01"));
    assert_eq!(cluster.login("orders_user", "new-secret").as_deref(), Ok("1"));
    println!("added by a standby, changed, removed from the list: as documented");
}

#[test]
fn two_nodes_that_bring_the_same_new_list_do_not_disturb_each_other() {
    let mut cluster = Cluster::nodes("both", 3).up();
    cluster.wait_healthy("pg01");
    let names: Vec<String> = (0..50).map(|n| format!("s{n:02}")).collect();
    cluster.wish_services(&names.join(","), &vec!["owner"; 50].join(","), &vec!["user"; 50].join(","));
    for node in ["pg02", "pg03"] {
        cluster.stop(node);
        cluster.remove_container(node);
    }
    std::thread::scope(|scope| {
        for node in ["pg02", "pg03"] {
            let cluster = &cluster;
            scope.spawn(move || cluster.start(node));
        }
    });
    cluster.wait_healthy("pg01");
    assert_eq!(cluster.sql("pg01", "SELECT count(*) FROM pg_roles WHERE rolname ~ '^s[0-9]+_'"), "100");
}

#[test]
fn a_thousand_services() {
    let names: Vec<String> = (0..1000).map(|n| format!("s{n:03}")).collect();
    let passwords = |kind: &str| (0..1000).map(|n| format!("{kind}{n}")).collect::<Vec<_>>().join(",");
    let mut cluster = Cluster::nodes("thousand", 2).create();
    cluster.wish_services(&names.join(","), &passwords("owner"), &passwords("user"));
    let began = Instant::now();
    cluster.start("pg02");
    cluster.start("pg01");
    cluster.wait_healthy("pg01");
    let first = began.elapsed();
    assert_eq!(cluster.sql("pg01", "SELECT count(*) FROM pg_roles WHERE rolname ~ '^s[0-9]+_(owner|user)$'"), "2000");
    for (role, password) in [("s000_user", "user0"), ("s999_user", "user999"), ("s999_owner", "owner999")] {
        assert_eq!(cluster.login(role, password).as_deref(), Ok("1"), "{role}");
    }
    let began = Instant::now();
    cluster.stop("pg01");
    cluster.start("pg01");
    cluster.wait_healthy("pg01");
    println!("1000 services: healthy after {first:.1?}; restart without a change {:.1?}", began.elapsed());
}
