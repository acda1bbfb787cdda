//! Who may come in, and how: pg_hba.conf, TLS, passwords, superusers.

use super::{Check, Scope, codes, server, servers};
use crate::model::{Checkup, HbaRule, InUse, NodeCheckup};
use crate::plan::diagnose::ends_soon;

pub const CHECKS: &[Check] = &[
    Check::new(codes::HBA_TRUST, Scope::Cluster, trust),
    Check::new(codes::HBA_WEAK, Scope::Cluster, weak),
    Check::new(codes::HBA_OPEN, Scope::Cluster, open),
    Check::new(codes::HBA_PLAIN, Scope::Cluster, plain),
    Check::new(codes::HBA_ERROR, Scope::Cluster, hba_errors),
    Check::new(codes::TLS_OFF, Scope::Cluster, tls_off),
    Check::new(codes::AUTHORITY_ENDS, Scope::Cluster, authorities),
    Check::new(codes::CERTIFICATE_NAME, Scope::Database, certificate_name),
    Check::new(codes::PASSWORDS_MD5, Scope::Cluster, password_encryption),
    Check::new(codes::ROLE_MD5, Scope::Cluster, md5_roles),
    Check::new(codes::SUPERUSER_EXTRA, Scope::Cluster, superusers),
    Check::new(codes::STATEMENTS_LOGGED, Scope::Cluster, statements),
];

/// Rules for the network: sockets and loopback stay in the container.
fn is_remote(rule: &HbaRule) -> bool {
    rule.kind != "local" && !["127.0.0.1", "::1", "samehost", "localhost"].contains(&rule.address.as_str())
}

/// A single node keeps the official image's contract, in which every network may ask over TLS or not: only a cluster is held to more.
fn rules(checkup: &Checkup, is_bad: impl Fn(&HbaRule) -> bool) -> Vec<String> {
    servers(checkup, |node, server| {
        let bad = server.hba.iter().filter(|rule| is_remote(rule) && rule.method != "reject" && is_bad(rule));
        bad.map(|rule| said(node, rule)).collect()
    })
}

fn said(node: &NodeCheckup, rule: &HbaRule) -> String {
    format!("{}: pg_hba.conf line {}: {} … {} {}", node.name, rule.line, rule.kind, rule.address, rule.method)
}

fn trust(checkup: &Checkup) -> Vec<String> {
    rules(checkup, |rule| rule.method == "trust")
}

fn weak(checkup: &Checkup) -> Vec<String> {
    rules(checkup, |rule| ["password", "md5"].contains(&rule.method.as_str()))
}

fn open(checkup: &Checkup) -> Vec<String> {
    rules(checkup, |rule| checkup.is_cluster && ["all", "0.0.0.0", "::"].contains(&rule.address.as_str()))
}

fn plain(checkup: &Checkup) -> Vec<String> {
    rules(checkup, |rule| checkup.is_cluster && ["host", "hostnossl"].contains(&rule.kind.as_str()))
}

fn hba_errors(checkup: &Checkup) -> Vec<String> {
    servers(checkup, |node, server| server.bad_hba.iter().map(|error| format!("{}: {error}", node.name)).collect())
}

fn tls_off(checkup: &Checkup) -> Vec<String> {
    server(checkup, |node, server| {
        (checkup.is_cluster && server.setting("ssl") == "off").then(|| format!("{}: ssl is off", node.name))
    })
}

fn authorities(checkup: &Checkup) -> Vec<String> {
    checkup.here.authorities.iter().filter_map(ends_soon).map(|said| format!("this container: {said}")).collect()
}

/// Of a generated certificate nobody expects that it can be verified.
fn certificate_name(checkup: &Checkup) -> Vec<String> {
    let here = &checkup.here;
    let (Some(InUse { certificate: own, .. }), Some(host)) = (&here.certificate, &here.host) else { return Vec::new() };
    let names = if own.names.is_empty() { "no name".into() } else { own.names.join(", ") };
    let is_wrong = checkup.is_cluster && here.is_certificate_given && !own.is_for(host);
    is_wrong.then(|| format!("{}: for {names}, not for {host}", own.subject)).into_iter().collect()
}

fn password_encryption(checkup: &Checkup) -> Vec<String> {
    server(checkup, |node, server| {
        (server.setting("password_encryption") == "md5").then(|| format!("{}: password_encryption is md5", node.name))
    })
}

/// Roles travel in WAL: the primary's word is enough.
fn md5_roles(checkup: &Checkup) -> Vec<String> {
    server(checkup, |_, server| {
        (!server.is_standby && !server.md5_roles.is_empty()).then(|| format!("roles: {}", server.md5_roles.join(", ")))
    })
}

fn superusers(checkup: &Checkup) -> Vec<String> {
    server(checkup, |_, server| {
        (!server.is_standby && !server.superusers.is_empty()).then(|| format!("roles: {}", server.superusers.join(", ")))
    })
}

fn statements(checkup: &Checkup) -> Vec<String> {
    server(checkup, |node, server| {
        let value = server.setting("log_statement");
        ["ddl", "mod", "all"].contains(&value).then(|| format!("{}: log_statement is {value}", node.name))
    })
}
