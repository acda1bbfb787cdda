//! What holds for every environment, however strange.

use std::path::{Path, PathBuf};

use pgcluster::model::{NodeName, NodeNumber};
use pgcluster::spec::nodes::parse_nodes;
use pgcluster::spec::{
    BackendFlag, HostFacts, Node, RawEnv, Replication, Snapshot, VARS, owned_in_conf_d, pgpool_spec, postgres_spec, resolved,
    wanted_files,
};
use proptest::prelude::{Strategy, any, prop, prop_assert, prop_assert_eq, prop_oneof, proptest};

fn host() -> HostFacts {
    HostFacts { host_name: "pg01".to_owned() }
}

/// Both images' messages, as printed.
fn messages(vars: Vec<(String, String)>) -> String {
    let raw = RawEnv::read(&Snapshot { vars, ..Snapshot::default() });
    let postgres = postgres_spec(&raw, &host()).err().map(|found| format!("{found}\n{found:?}"));
    let pgpool = pgpool_spec(&raw, &host()).err().map(|found| format!("{found}\n{found:?}"));
    format!("{}{}", postgres.unwrap_or_default(), pgpool.unwrap_or_default())
}

/// The list as an operator would write it.
fn print(nodes: &[Node]) -> String {
    let item = |node: &Node| {
        let host = if node.host.contains(':') { format!("[{}]", node.host) } else { node.host.clone() };
        let flag = match node.flag {
            BackendFlag::AllowToFailover => "ALLOW_TO_FAILOVER",
            BackendFlag::DisallowToFailover => "DISALLOW_TO_FAILOVER",
        };
        let (number, port, weight, dir) = (node.number, node.port, node.weight, node.data_dir.display());
        format!("{number}:{host}:{port}:{weight}:{dir}:{flag}")
    };
    nodes.iter().map(item).collect::<Vec<_>>().join(", ")
}

/// Host; then port, weight in hundredths, data directory, whether failover is allowed.
type Item = (String, (u16, u32, String, bool));

fn nodes() -> impl Strategy<Value = Vec<Node>> {
    let host = prop_oneof!["[a-z][a-z0-9._-]{0,20}", any::<std::net::Ipv6Addr>().prop_map(|address| address.to_string())];
    let rest = (1..=u16::MAX, 0..10_000_u32, "(/[a-z0-9_]{1,9}){1,4}", any::<bool>());
    prop::collection::vec((host, rest), 1..9).prop_map(|items| {
        let node = |(number, (host, (port, weight, dir, allow))): (u32, Item)| {
            // The number keeps names apart.
            let host = if host.contains(':') { format!("fd00::{:x}", number + 1) } else { format!("{host}{number}") };
            let flag = if allow { BackendFlag::AllowToFailover } else { BackendFlag::DisallowToFailover };
            let name = NodeName(host.clone());
            let (weight, data_dir) = (f64::from(weight) / 100.0, PathBuf::from(dir));
            Node { number: NodeNumber(number), name, host, port, weight, data_dir, flag }
        };
        (0..).zip(items).map(node).collect()
    })
}

/// Names of the contract, their other forms, and inventions.
fn name() -> impl Strategy<Value = String> {
    let known = prop::sample::select(VARS).prop_map(|var| var.name.to_owned());
    prop_oneof![4 => known.clone(), 1 => known.prop_map(|name| format!("{name}_FILE")), 1 => "(PGCONF|PGPOOL|MS|REPMGR)_\\PC{0,9}", 1 => "\\PC*"]
}

fn value() -> impl Strategy<Value = String> {
    prop_oneof!["\\PC*", "[0-9:,./\\[\\]a-z\"\\\\ ]*", "[0-2]:pg0[0-2](:5432)?", "(auto|sync|1|10s|x)"]
}

proptest! {
    #[test]
    fn a_printed_list_is_read_back(nodes in nodes()) {
        let read = parse_nodes(&print(&nodes), Path::new("/u01/pg17/data")).expect("a valid list");
        prop_assert_eq!(read, nodes);
    }

    #[test]
    fn any_order_of_a_list_means_the_same(nodes in nodes(), by in 0_usize..9) {
        let mut turned = nodes.clone();
        turned.rotate_left(by % nodes.len());
        prop_assert_eq!(parse_nodes(&print(&turned), Path::new("/d")).expect("a valid list"), nodes);
    }

    #[test]
    fn no_environment_is_a_panic_and_every_refusal_says_why(vars in prop::collection::vec((name(), value()), 0..12)) {
        let snapshot = Snapshot { vars: vars.clone(), ..Snapshot::default() };
        wanted_files(&snapshot.vars);
        let raw = RawEnv::read(&snapshot);
        resolved(&raw);
        for found in [postgres_spec(&raw, &host()).err(), pgpool_spec(&raw, &host()).err()].into_iter().flatten() {
            prop_assert!(!found.is_empty());
            for violation in found.iter() {
                prop_assert!(!violation.rule.is_empty() && !violation.hint.is_empty());
            }
        }
    }

    #[test]
    fn a_valid_spec_keeps_the_promises_of_its_types(vars in prop::collection::vec((name(), value()), 0..9)) {
        let list = [("PG_BACKEND_NODE_LIST", "0:pg01,1:pg02"), ("REPMGRPWD", "geheim")];
        let fixed = list.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let raw = RawEnv::read(&Snapshot { vars: fixed.into_iter().chain(vars).collect(), ..Snapshot::default() });
        if let Ok(spec) = postgres_spec(&raw, &host()) {
            prop_assert!(spec.cluster.repmgr_password.is_some() && spec.data_dir.is_absolute());
            prop_assert_eq!(spec.node().number, spec.me);
            prop_assert!(spec.cluster.nodes[spec.cluster.bootstrap.index()].number == spec.cluster.bootstrap);
            prop_assert!(spec.cluster.services.iter().all(|service| service.owner().len() <= 63));
            prop_assert!(spec.settings.is_sorted_by_key(|setting| &setting.name));
        }
    }

    #[test]
    fn no_message_repeats_a_secret(secret in "[A-Za-z0-9,:'\"\\\\\\[ ]{0,60}S3CR3T[A-Za-z0-9,:'\"\\\\\\[\u{7}]{0,99}") {
        let vars = |name: &str| vec![(name.to_owned(), secret.clone())];
        for var in VARS.iter().filter(|var| var.is_secret()) {
            prop_assert!(!messages(vars(var.name)).contains("S3CR3T"), "{}", var.name);
            let raw = RawEnv::read(&Snapshot { vars: vars(var.name), ..Snapshot::default() });
            prop_assert!(!format!("{:?}", resolved(&raw)).contains("S3CR3T"), "{}", var.name);
        }
        for name in ["REPMGRPW", "POSTGRES_PASSWORDS", "PCPPWDD", "PGCONF_primary_conninfo", "PGPOOL_sr_check_password", "msownerpwdlist"] {
            prop_assert!(!messages(vars(name)).contains("S3CR3T"), "{}", name);
        }
    }

    #[test]
    fn any_file_of_the_operator_can_be_scanned(text in "\\PC*") {
        owned_in_conf_d(&text, Replication::Sync);
    }
}
