//! The part of the environment that every container of the cluster is told alike.

use std::path::{Path, PathBuf};

use super::control_password::{OtherPassword, PREVIOUS};
use super::nodes::{PORT, node_name, parse_nodes};
use super::raw::RawEnv;
use super::services::services;
use super::types::{
    BackendFlag, ClusterKind, ClusterSpec, FailoverMode, LogFormat, LogLevel, LogSpec, Node, Replication, TlsFiles,
};
use super::values::{choice, directory, duration, file, is_host, number, sql_name};
use super::violation::{Violation, Violations};
use super::{Secret, password};
use crate::model::NodeNumber;

/// What the container knows about itself without being told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostFacts {
    /// gethostname(2), as it is.
    pub host_name: String,
}

/// What both images read first: paths and versions that other rules need.
pub(super) struct Ground {
    pub major: u32,
    pub data_dir: PathBuf,
}

pub(super) fn ground(raw: &RawEnv, found: &mut Violations) -> Ground {
    let text = raw.cluster.pg_major.as_deref().unwrap_or("17");
    let major = found.take(number("PG_MAJOR", text, 13..=99, "the image sets it; leave it alone")).unwrap_or(17);
    let given = raw.cluster.pgdata.as_deref().map(|text| directory("PGDATA", text));
    let data_dir = given.and_then(|given| found.take(given));
    Ground { major, data_dir: data_dir.unwrap_or_else(|| PathBuf::from(format!("/u01/pg{major}/data"))) }
}

/// The node list. `None`: there is no list, or it is broken, which is then in `found`.
pub(super) fn listed_nodes(raw: &RawEnv, data_dir: &Path, found: &mut Violations) -> Option<Vec<Node>> {
    let text = raw.cluster.pg_backend_node_list.as_deref()?;
    found.take(parse_nodes(text, data_dir))
}

/// Whether the operator wants more than a single node, even when the list is broken.
pub(super) fn kind(raw: &RawEnv) -> ClusterKind {
    let listed = raw.cluster.pg_backend_node_list.is_some() || raw.is_broken("PG_BACKEND_NODE_LIST");
    if listed { ClusterKind::Cluster } else { ClusterKind::Standalone }
}

/// The only node of a cluster without a list.
pub(super) fn single_node(variable: &str, host: &str, data_dir: &Path) -> Result<Node, Violation> {
    if !is_host(host) {
        let hint = "a host is letters, digits and . _ -";
        return Err(Violation::of(variable, host, "not a host name", hint));
    }
    let name = node_name(host).map_err(|(rule, hint)| Violation::of(variable, host, rule, hint))?;
    Ok(Node {
        number: NodeNumber(0),
        name,
        host: host.to_owned(),
        port: PORT,
        weight: 1.0,
        data_dir: data_dir.to_path_buf(),
        flag: BackendFlag::AllowToFailover,
    })
}

/// The node that somebody means with a name: its name, or its host (`tasks.pg01`).
pub(super) fn find<'a>(nodes: &'a [Node], name: &str) -> Option<&'a Node> {
    nodes.iter().find(|node| node.name.0.eq_ignore_ascii_case(name) || node.host.eq_ignore_ascii_case(name))
}

/// `pg01, pg02`: for hints.
pub(super) fn names(nodes: &[Node]) -> String {
    nodes.iter().map(|node| node.name.as_str()).collect::<Vec<_>>().join(", ")
}

/// Everything that does not depend on the image. `nodes` is `None` when the list is broken.
pub(super) fn cluster_spec(raw: &RawEnv, nodes: Option<Vec<Node>>, found: &mut Violations) -> Option<ClusterSpec> {
    let text = &raw.cluster;
    let kind = kind(raw);
    let bootstrap = nodes.as_deref().and_then(|nodes| found.take(bootstrap(raw, nodes, kind)));
    let repmgr_password = repmgr_password(raw, found);
    let other_password = previous_password(raw, repmgr_password.as_ref(), found);
    let replication = replication(raw, nodes.as_deref(), found);
    let modes = [
        ("auto", FailoverMode::Auto),
        ("automatic", FailoverMode::Auto),
        ("manual", FailoverMode::Manual),
        ("repmgrd", FailoverMode::Repmgrd),
    ];
    let failover = found.take(choice("FAILOVER_MODE", text.failover_mode.as_deref().unwrap_or("auto"), &modes));
    let after = text.failover_after.as_deref().unwrap_or("10s");
    let failover_after = found.take(duration("FAILOVER_AFTER", after, 1..=86_400));
    let database = found.take(sql_name("PG_DATABASE", text.pg_database.as_deref().unwrap_or("phoenix")));
    let services = found.take(services(raw));
    let tls = tls(raw, found);
    let log = log(raw, found);
    Some(ClusterSpec {
        nodes: nodes?,
        kind,
        bootstrap: bootstrap?,
        repmgr_password,
        other_password,
        replication: replication?,
        failover: failover?,
        failover_after: failover_after?,
        database: database?,
        services: services?,
        tls,
        log: log?,
    })
}

fn bootstrap(raw: &RawEnv, nodes: &[Node], kind: ClusterKind) -> Result<NodeNumber, Violation> {
    let Some(name) = raw.cluster.pgmaster_node_name.as_deref().map(str::trim) else { return Ok(NodeNumber(0)) };
    let hint = match kind {
        ClusterKind::Cluster => format!("name one of: {}", names(nodes)),
        ClusterKind::Standalone => {
            "set PG_BACKEND_NODE_LIST in every container for a cluster, or unset PGMASTER_NODE_NAME for a single node".to_owned()
        }
    };
    let rule = match kind {
        ClusterKind::Cluster => "not a node of PG_BACKEND_NODE_LIST",
        ClusterKind::Standalone => "another node, and there is no PG_BACKEND_NODE_LIST",
    };
    find(nodes, name).map(|node| node.number).ok_or_else(|| Violation::of("PGMASTER_NODE_NAME", name, rule, hint))
}

/// Whether it is required is for the image to say.
fn repmgr_password(raw: &RawEnv, found: &mut Violations) -> Option<Secret> {
    let text = raw.cluster.repmgrpwd.as_deref()?;
    found.take(password::secret("REPMGRPWD", text, password::through_pgpool))
}

/// None if it is the same: then nothing changes.
fn previous_password(raw: &RawEnv, password: Option<&Secret>, found: &mut Violations) -> Option<OtherPassword> {
    let text = raw.cluster.repmgrpwd_previous.as_deref()?;
    let previous = found.take(password::secret(PREVIOUS, text, password::through_pgpool))?;
    match password {
        Some(password) => (*password != previous).then_some(OtherPassword::Previous(previous)),
        None if raw.is_broken("REPMGRPWD") || raw.is_given("REPMGRPWD") => None,
        None => {
            found.add(Violation::new(PREVIOUS, "given without REPMGRPWD", "set REPMGRPWD to the new password, or unset both"));
            None
        }
    }
}

fn replication(raw: &RawEnv, nodes: Option<&[Node]>, found: &mut Violations) -> Option<Replication> {
    let text = raw.cluster.replication_mode.as_deref().unwrap_or("auto");
    let words = [("auto", None), ("sync", Some(Replication::Sync)), ("async", Some(Replication::Async))];
    let wish = found.take(choice("REPLICATION_MODE", text, &words))?;
    match (wish, nodes?.len()) {
        (None, 0..=2) => Some(Replication::Async),
        (None, _) => Some(Replication::Sync),
        (Some(Replication::Sync), 0..=1) => {
            let hint = "list at least two nodes in PG_BACKEND_NODE_LIST, or use auto";
            found.add(Violation::of("REPLICATION_MODE", text, "a single node has nobody to wait for", hint));
            None
        }
        (Some(wish), _) => Some(wish),
    }
}

fn tls(raw: &RawEnv, found: &mut Violations) -> Option<TlsFiles> {
    let text = &raw.cluster;
    let mut path = |variable: &str, text: &Option<String>| text.as_deref().and_then(|text| found.take(file(variable, text)));
    let cert = path("TLS_CERT_FILE", &text.tls_cert_file);
    let key = path("TLS_KEY_FILE", &text.tls_key_file);
    let ca = path("TLS_CA_FILE", &text.tls_ca_file);
    match (&text.tls_cert_file, &text.tls_key_file, &text.tls_ca_file) {
        (Some(_), None, _) => {
            found.add(Violation::new("TLS_KEY_FILE", "required with TLS_CERT_FILE", "give the certificate's key"))
        }
        (None, Some(_), _) => {
            found.add(Violation::new("TLS_CERT_FILE", "required with TLS_KEY_FILE", "give the key's certificate"))
        }
        (None, None, Some(_)) => {
            let hint = "give certificate and key that this authority signed, or unset TLS_CA_FILE";
            found.add(Violation::new("TLS_CERT_FILE", "required with TLS_CA_FILE", hint));
        }
        (Some(_), Some(_), _) | (None, None, None) => {}
    }
    Some(TlsFiles { cert: cert?, key: key?, ca })
}

fn log(raw: &RawEnv, found: &mut Violations) -> Option<LogSpec> {
    let formats = [("text", LogFormat::Text), ("json", LogFormat::Json)];
    let levels = [("error", LogLevel::Error), ("warn", LogLevel::Warn), ("info", LogLevel::Info), ("debug", LogLevel::Debug)];
    let format = found.take(choice("LOG_FORMAT", raw.cluster.log_format.as_deref().unwrap_or("text"), &formats));
    let level = found.take(choice("LOG_LEVEL", raw.cluster.log_level.as_deref().unwrap_or("info"), &levels));
    Some(LogSpec { format: format?, level: level? })
}
