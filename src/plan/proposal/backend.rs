//! `attach NAME` and `detach NAME`: which backends one pgpool uses.

use super::{name, seen, spoken};
use crate::model::{Backend, BackendStatus, ClusterView, NodeNumber, Outlook, Proposal};
use crate::plan::pool::{Fitness, fitness};
use crate::spec::ClusterSpec;

/// What one pgpool is told of one node. `backend`: what it believes of it; none if it did not say.
#[derive(Clone, Copy, Debug)]
pub struct Order<'a> {
    pub pool: &'a str,
    pub number: NodeNumber,
    pub backend: Option<&'a Backend>,
}

pub fn attach(view: &ClusterView, cluster: &ClusterSpec, order: Order<'_>) -> Proposal {
    let Order { pool, number, backend } = order;
    let node = name(cluster, number);
    let step = format!("pgpool {pool} sends sessions to {node} again");
    let (outlook, because, steps, warnings) = match (is_up(backend), fitness(view, number)) {
        (true, _) => (Outlook::Nothing, format!("pgpool {pool} uses {node}"), Vec::new(), Vec::new()),
        (false, Fitness::Primary) => (Outlook::Harmless, format!("{node} is the primary"), vec![step], Vec::new()),
        (false, Fitness::Standby) => (Outlook::Harmless, format!("{node} streams from the primary"), vec![step], Vec::new()),
        (false, Fitness::Unfit(reason)) => {
            let warning = format!("clients read from {node} what it has, or get errors");
            (Outlook::NeedsConsent, format!("{node} is not fit: {reason}"), vec![step], vec![warning])
        }
    };
    spoken(
        cluster,
        Proposal { order: format!("attach {node}"), because, outlook, seen: rows(view, cluster, order), steps, warnings },
    )
}

pub fn detach(view: &ClusterView, cluster: &ClusterSpec, order: Order<'_>) -> Proposal {
    let Order { pool, number, backend } = order;
    let node = name(cluster, number);
    let is_primary = view.primary().is_some_and(|(primary, _)| primary == number);
    let back = format!("its health check takes a healthy node back within seconds: stop what {node} shall not do, or pause it");
    let (outlook, because, steps) = match (backend.map(|backend| backend.status), is_primary) {
        (Some(BackendStatus::Down), _) => (Outlook::Nothing, format!("pgpool {pool} does not use {node}"), Vec::new()),
        (_, true) => (
            Outlook::NeedsConsent,
            format!("{node} is the primary"),
            vec![
                format!("pgpool {pool} ends ALL its sessions, and runs its failover command"),
                format!("that finds {node} alive and promotes nobody; {back}"),
            ],
        ),
        (_, false) => (
            Outlook::NeedsConsent,
            format!("pgpool {pool} uses {node}"),
            vec![format!("pgpool {pool} ends the sessions that use {node} and sends nobody there"), back],
        ),
    };
    spoken(
        cluster,
        Proposal {
            order: format!("detach {node}"),
            because,
            outlook,
            seen: rows(view, cluster, order),
            steps,
            warnings: Vec::new(),
        },
    )
}

fn is_up(backend: Option<&Backend>) -> bool {
    backend.is_some_and(|backend| matches!(backend.status, BackendStatus::Up | BackendStatus::Waiting))
}

/// The node itself, and beside it what pgpool believes.
fn rows(view: &ClusterView, cluster: &ClusterSpec, order: Order<'_>) -> Vec<(String, String)> {
    let belief = order.backend.map_or("says nothing of it", |backend| backend.status.word());
    let node = name(cluster, order.number);
    let mut rows: Vec<(String, String)> = seen(cluster, view).into_iter().filter(|(name, _)| name == node).collect();
    rows.push((order.pool.to_owned(), format!("{node} {belief}")));
    rows
}
