//! The commands beside `status`, in a healthy cluster.

use crate::ask::{assert_fits, codes};
use crate::build::{Cluster, OWNER_PASSWORD, PCP_PASSWORD, POOL, POSTGRES_PASSWORD, REPMGR_PASSWORD, USER_PASSWORD};

const SECRETS: [&str; 5] = [OWNER_PASSWORD, USER_PASSWORD, PCP_PASSWORD, POSTGRES_PASSWORD, REPMGR_PASSWORD];

pub fn what_is_written(cluster: &Cluster) {
    nothing_secret_is_shown(cluster);
    lists_agree(cluster);
    events_are_all_there(cluster);
    plans_are_those_of_a_start(cluster);
    nothing_would_change(cluster);
    names_are_explained(cluster);
}

fn nothing_secret_is_shown(cluster: &Cluster) {
    for place in ["pg01", POOL] {
        for command in ["status", "nodes", "lag", "events", "plan", "users", "env", "render", "explain"] {
            for args in [vec![command], vec![command, "--json"]] {
                let said = cluster.ask(place, &args);
                assert_eq!(said.code, 0, "{args:?}: {}", said.text);
                assert!(!SECRETS.iter().any(|secret| said.text.contains(secret)), "{args:?} in {place} shows a secret");
                if !["render", "env"].contains(&command) && args.len() == 1 {
                    assert_fits(&said.text);
                }
            }
        }
    }
}

fn lists_agree(cluster: &Cluster) {
    let (_, said) = cluster.ask_json(POOL, &["nodes"]);
    let rows = said["nodes"].as_array().unwrap().iter();
    let ours: Vec<String> = rows.map(|row| format!("{}|{}", row["node_id"], row["name"].as_str().unwrap())).collect();
    assert_eq!(ours.join("\n"), cluster.sql_in("pg01", "repmgr", "SELECT node_id, node_name FROM repmgr.nodes ORDER BY 1"));
    let (_, said) = cluster.ask_json("pg02", &["lag"]);
    for row in said["nodes"].as_array().unwrap().iter().filter(|row| row["name"] != "pg01") {
        assert!(row["lag_bytes"].as_u64().unwrap() < 16 << 20 && row["streaming"] == true, "{row}");
    }
}

fn events_are_all_there(cluster: &Cluster) {
    let (_, said) = cluster.ask_json("pg03", &["events", "--limit", "1000"]);
    let events = said["events"].as_array().unwrap();
    let of = |source: &str| events.iter().filter(|event| event["source"] == source).count().to_string();
    assert_eq!(of("repmgr"), cluster.sql_in("pg01", "repmgr", "SELECT count(*) FROM repmgr.events"));
    assert_eq!(of("epoch"), cluster.sql_in("pg01", "repmgr", "SELECT count(*) FROM pgcluster.epoch"));
    let times: Vec<&str> = events.iter().map(|event| event["at"].as_str().unwrap()).collect();
    assert!(times.is_sorted(), "{times:?}");
}

fn plans_are_those_of_a_start(cluster: &Cluster) {
    let verdict = |place: &str| cluster.ask_json(place, &["plan"]).1["verdict"].as_str().unwrap().to_owned();
    assert_eq!(verdict("pg01"), "resume as primary");
    assert_eq!(verdict("pg02"), "follow node 0");
    assert_eq!(verdict(POOL), "start");
    // It touched nothing: the servers are what they were.
    cluster.wait_healthy("pg01");
}

fn nothing_would_change(cluster: &Cluster) {
    for place in ["pg01", "pg02", POOL] {
        let said = cluster.ask(place, &["render", "--diff"]);
        assert!(said.text.starts_with("a start would write what is there"), "{place}: {}", said.text);
    }
    // What is edited by hand is what a start would take back.
    let conf = "/etc/pgcluster/postgresql.conf";
    cluster.exec("pg02", &["sh", "-c", &format!("cp {conf} /tmp/kept; echo \"work_mem = '77MB'\" >>{conf}")]);
    let said = cluster.ask("pg02", &["render", "--diff"]);
    cluster.exec("pg02", &["sh", "-c", &format!("cat /tmp/kept >{conf}")]);
    assert!(said.text.contains(conf) && said.text.contains("- work_mem = '77MB'"), "{}", said.text);
}

fn names_are_explained(cluster: &Cluster) {
    for (name, word) in [
        ("REPMGRPWD", "superuser"),
        ("frozen", "promotion"),
        ("no-primary", "exits with 2"),
        ("78", "environment"),
        ("hba-trust", "doctor"),
    ] {
        let said = cluster.ask("pg01", &["explain", name]);
        assert!(said.code == 0 && said.text.contains(word), "{name}: {}", said.text);
        assert_fits(&said.text);
    }
    let said = cluster.ask("pg01", &["explain", "no-primery"]);
    assert!(said.code == 1 && said.text.contains("did you mean no-primary?"), "{}", said.text);
    let script = cluster.exec(
        "pg01",
        &["sh", "-c", "pgcluster completions bash >/tmp/c && bash -n /tmp/c && bash -c '. /tmp/c; complete -p pgcluster'"],
    );
    assert!(script.contains("pgcluster"), "{script}");
    let (_, status) = cluster.ask_json("pg01", &["status"]);
    for code in codes(&status) {
        assert_eq!(cluster.ask("pg01", &["explain", code]).code, 0);
    }
}

pub fn who_logs_in(cluster: &Cluster) {
    let row = |place: &str, role: &str| {
        let (code, said) = cluster.ask_json(place, &["users"]);
        let row = said["users"].as_array().unwrap().iter().find(|row| row["role"] == role).unwrap().clone();
        let fact = |name: &str| row[name].as_bool();
        (code, [fact("exists"), fact("password_right"), fact("in_pool_passwd"), fact("through_pgpool")])
    };
    assert_eq!(row(POOL, "orders_user"), (0, [Some(true); 4]));
    assert_eq!(row("pg02", "orders_user"), (0, [Some(true), Some(true), None, None]));
    cluster.sql("pg01", "ALTER ROLE orders_user PASSWORD 'another'");
    assert_eq!(row(POOL, "orders_user"), (1, [Some(true), Some(false), Some(true), Some(false)]));
    assert_eq!(row(POOL, "orders_owner"), (1, [Some(true); 4]));
    cluster.sql("pg01", &format!("ALTER ROLE orders_user PASSWORD '{USER_PASSWORD}'"));
    assert_eq!(row(POOL, "orders_user"), (0, [Some(true); 4]));
}

pub fn nothing_is_left_behind(cluster: &Cluster) {
    let objects = "SELECT count(*) FROM pg_class WHERE relname LIKE '%smoke%'";
    for place in ["pg01", POOL] {
        let (code, said) = cluster.ask_json(place, &["smoke"]);
        assert_eq!((code, &said["ok"]), (0, &serde_json::Value::Bool(true)), "{said:#}");
        assert_eq!(cluster.sql_in("pg01", "repmgr", objects), "0");
        assert_eq!(cluster.sql_in("pg01", "phoenix", objects), "0");
    }
    // A killed run leaves its table; the next one is not disturbed, and takes it away.
    cluster.sql_in("pg01", "repmgr", "CREATE TABLE pgcluster.smoke (token text)");
    assert_eq!(cluster.ask(POOL, &["smoke"]).code, 0);
    assert_eq!(cluster.sql_in("pg01", "repmgr", objects), "0");
}
