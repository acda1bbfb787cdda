//! A new `REPMGRPWD` by environment: the containers are made again one after the other, in every order, under a client that counts.

use crate::build::{Cluster, POOL, REPMGR_PASSWORD};
use crate::docker::wait_until;
use crate::oracles::DEADLINE;
use crate::writers::Writers;

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
