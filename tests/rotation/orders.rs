//! A new `REPMGRPWD` by environment: the containers are made again one after the other, in every order, under a client that counts.

use std::time::Duration;

use crate::build::{Cluster, POOL, REPMGR_PASSWORD, SECOND_POOL};
use crate::docker::wait_until;
use crate::oracles::DEADLINE;
use crate::writers::Writers;

/// For a client to write a few rows.
const SERVING: Duration = Duration::from_secs(5);

/// As compose does it when the environment has changed.
fn recreate(cluster: &Cluster, name: &str) {
    cluster.stop(name);
    cluster.remove_container(name);
    cluster.start(name);
    let primary = cluster.wait_until_settled();
    println!("  {name} made again, {primary} is primary");
}

/// The primary, the standbys, pgpool, as they are now.
fn roles(cluster: &Cluster) -> (String, Vec<String>) {
    let primary = cluster.primary().expect("a healthy cluster has a primary");
    let standbys = cluster.nodes.iter().filter(|node| **node != primary).cloned().collect();
    (primary, standbys)
}

#[test]
#[ignore = "make faults"]
fn in_every_order() {
    let mut cluster = Cluster::nodes("orders", 3).pgpool().env("FAILOVER_MODE", "auto").restart("unless-stopped").up();
    cluster.wait_until_settled();
    let writers = Writers::start(&cluster, &[POOL]);
    let mut old = REPMGR_PASSWORD.to_string();
    for (number, order) in ["primary first", "standbys first", "pgpool first"].into_iter().enumerate() {
        let new = format!("an/other:password-{number}");
        println!("{order}:");
        cluster.set_env("REPMGRPWD", &new);
        cluster.set_env("REPMGRPWD_PREVIOUS", &old);
        let (primary, mut rest) = roles(&cluster);
        let line = match number {
            0 => [vec![primary], rest, vec![POOL.into()]].concat(),
            1 => {
                rest.extend([primary, POOL.into()]);
                rest
            }
            _ => [vec![POOL.into(), primary], rest].concat(),
        };
        for name in &line {
            // Also that nobody is locked out in between.
            recreate(&cluster, name);
        }
        cluster.wait_until_changed(&old, &new);
        cluster.wait_until_nowhere(&[&old]);
        old = new;
    }
    let (primary, _) = roles(&cluster);
    cluster.kill(&primary);
    wait_until("another primary", DEADLINE, || cluster.primary());
    cluster.start(&primary);
    cluster.wait_until_settled();
    println!("{}", writers.finish().assert_kept(&cluster));
}

/// The first pgpool knows the new password before any server, the second one only after all of them, and the primary dies in between.
#[test]
#[ignore = "make faults"]
fn between_two_pgpools() {
    let mut cluster = Cluster::nodes("pair", 3).pgpool().env("FAILOVER_MODE", "auto").restart("unless-stopped").up();
    cluster.start(SECOND_POOL);
    cluster.wait_until_settled();
    let writers = Writers::start(&cluster, &[POOL, SECOND_POOL]);
    let (old, new) = (REPMGR_PASSWORD, "an/other:password");
    cluster.set_env("REPMGRPWD", new);
    cluster.set_env("REPMGRPWD_PREVIOUS", old);
    let (primary, standbys) = roles(&cluster);
    recreate(&cluster, POOL);
    standbys.iter().for_each(|name| recreate(&cluster, name));
    cluster.kill(&primary);
    let next = wait_until("another primary", DEADLINE, || cluster.primary());
    println!("  {primary} was killed, {next} is primary");
    recreate(&cluster, &primary);
    recreate(&cluster, SECOND_POOL);
    cluster.wait_until_changed(old, new);
    cluster.wait_until_nowhere(&[old]);
    println!("{}", writers.finish().assert_kept(&cluster));
    let last = Writers::start(&cluster, &[SECOND_POOL]);
    std::thread::sleep(SERVING);
    println!("the second pgpool serves: {}", last.finish().assert_kept(&cluster));
}
