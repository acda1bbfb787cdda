//! `MSLIST` and its passwords, csv or JSON: what is taken means the same when it is written down as JSON, and fits its consumers.
#![no_main]

use libfuzzer_sys::fuzz_target;
use pgcluster::render::pool_passwd::PoolEntry;
use pgcluster::spec::{HostFacts, RawEnv, RolePassword, Service, Snapshot, Violations, postgres_spec};
use pgcluster_fuzz::texts;

fuzz_target!(|input: &str| {
    let [names, owners, users] = texts(input);
    match services(names, owners, users) {
        Ok(services) => {
            let name = |service: &Service| service.name.clone();
            let password = |given: &RolePassword| match given {
                RolePassword::Given(secret) => Some(secret.expose().to_owned()),
                RolePassword::Generate => None,
            };
            let owner_passwords: Vec<_> = services.iter().filter_map(|service| password(&service.owner_password)).collect();
            let user_passwords: Vec<_> = services.iter().filter_map(|service| password(&service.user_password)).collect();
            for service in &services {
                assert!(service.owner().len() <= 63 && service.user().len() <= 63, "PostgreSQL would cut it");
                assert!(service.name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_'));
            }
            for text in owner_passwords.iter().chain(&user_passwords) {
                assert!(!text.is_empty() && !text.contains(char::is_control));
            }
            let again = self::services(
                &json(&services.iter().map(name).collect::<Vec<_>>()),
                &json(&owner_passwords),
                &json(&user_passwords),
            );
            assert_eq!(again, Ok(services));
        }
        Err(found) => assert!(found.iter().all(|violation| !violation.rule.is_empty() && !violation.hint.is_empty())),
    }
    // What fits by its bytes may still be too long once it is prepared; asking must not panic.
    let _ = PoolEntry::of(owners);
});

/// An empty list is an empty variable, which means unset.
fn json(items: &[String]) -> String {
    if items.is_empty() { String::new() } else { serde_json::to_string(items).expect("strings are JSON") }
}

fn services(names: &str, owners: &str, users: &str) -> Result<Vec<Service>, Violations> {
    let vars = [("POSTGRES_PASSWORD", "x"), ("PG_MAJOR", "17"), ("MSLIST", names), ("MSOWNERPWDLIST", owners), ("MSUSERPWDLIST", users)];
    let vars = vars.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
    let host = HostFacts { host_name: "pg01".into() };
    postgres_spec(&RawEnv::read(&Snapshot { vars, ..Snapshot::default() }), &host).map(|spec| spec.cluster.services)
}
