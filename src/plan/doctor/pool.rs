//! The pgpool of this container: version, login, and the settings that were decided for it.

use super::{Check, Scope, codes};
use crate::model::{Checkup, PoolFacts};
use crate::plan::diagnose::ends_soon;
use crate::plan::floors;

pub const CHECKS: &[Check] = &[
    Check::new(codes::POOL_VERSION_OLD, Scope::Pool, version),
    Check::new(codes::POOL_LOGIN, Scope::Pool, login),
    Check::new(codes::POOL_CERTIFICATE_ENDS, Scope::Pool, certificate),
    Check::new(codes::POOL_TRUST, Scope::Pool, trust),
    Check::new(codes::POOL_CHILDREN, Scope::Pool, children),
    Check::new(codes::POOL_SR_CHECK, Scope::Pool, sr_check),
    Check::new(codes::POOL_FAILBACK, Scope::Pool, failback),
    Check::new(codes::POOL_SLOW, Scope::Pool, slow),
    Check::new(codes::POOL_CACHE, Scope::Pool, cache),
    Check::new(codes::POOL_PCP_OPEN, Scope::Pool, pcp_open),
];

fn pool(checkup: &Checkup, look: impl Fn(&PoolFacts) -> Option<String>) -> Vec<String> {
    checkup.pool.iter().filter_map(|pool| Some(format!("{}: {}", pool.name, look(pool)?))).collect()
}

fn setting<'a>(pool: &'a PoolFacts, name: &str) -> &'a str {
    pool.settings.get(name).map_or("", String::as_str)
}

fn number(pool: &PoolFacts, name: &str) -> Option<u64> {
    setting(pool, name).parse().ok()
}

fn is_on(pool: &PoolFacts, name: &str) -> bool {
    ["on", "true", "yes", "1"].contains(&setting(pool, name).to_lowercase().as_str())
}

fn version(checkup: &Checkup) -> Vec<String> {
    pool(checkup, |pool| {
        let (major, minor, patch) = pool.version?;
        Some(format!("pgpool-II {major}.{minor}.{patch}: {}", floors::pgpool(major, minor, patch)?))
    })
}

fn login(checkup: &Checkup) -> Vec<String> {
    pool(checkup, |pool| pool.login_error.clone())
}

/// Those of the nodes are problems of `status`.
fn certificate(checkup: &Checkup) -> Vec<String> {
    pool(checkup, |_| ends_soon(checkup.here.certificate.as_ref()?))
}

fn trust(checkup: &Checkup) -> Vec<String> {
    pool(checkup, |pool| (!pool.trusting_lines.is_empty()).then(|| pool.trusting_lines.join("; ")))
}

/// Against the smallest server: pgpool may send everything there.
fn children(checkup: &Checkup) -> Vec<String> {
    let room = |server: &crate::model::ServerFacts| server.sessions.1;
    let smallest = checkup.nodes.iter().filter_map(|node| node.server.as_ref()).map(room).min();
    pool(checkup, |pool| {
        let most = number(pool, "num_init_children")? * number(pool, "max_pool")? * u64::from(pool.pools);
        let room = u64::try_from(smallest?).ok()?;
        (most > room).then(|| format!("all pgpools together may open {most} connections, a server has {room} for clients"))
    })
}

fn sr_check(checkup: &Checkup) -> Vec<String> {
    pool(checkup, |pool| {
        let period = number(pool, "sr_check_period")?;
        (period > 0).then(|| format!("sr_check_period is {period}"))
    })
}

fn failback(checkup: &Checkup) -> Vec<String> {
    pool(checkup, |pool| is_on(pool, "auto_failback").then(|| "auto_failback is on".into()))
}

fn slow(checkup: &Checkup) -> Vec<String> {
    pool(checkup, |pool| (!is_on(pool, "failover_on_backend_error")).then(|| "failover_on_backend_error is off".into()))
}

fn cache(checkup: &Checkup) -> Vec<String> {
    pool(checkup, |pool| is_on(pool, "memory_cache_enabled").then(|| "memory_cache_enabled is on".into()))
}

fn pcp_open(checkup: &Checkup) -> Vec<String> {
    pool(checkup, |pool| {
        let listens = setting(pool, "pcp_listen_addresses");
        (!["", "127.0.0.1", "localhost", "::1"].contains(&listens)).then(|| format!("pcp_listen_addresses is {listens}"))
    })
}
