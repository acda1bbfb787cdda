//! Wishes to render: a plain three node cluster, and what can be changed about it.

use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use pgcluster::model::{NodeName, NodeNumber};
use pgcluster::render::HbaRules;
use pgcluster::spec::{
    BackendFlag, ClusterKind, ClusterSpec, FailoverMode, HostAuth, LogFormat, LogLevel, LogSpec, Node, PgpoolSpec, PostgresSpec,
    Replication, RolePassword, Secret, Service, Setting, Superuser, Tune, UnknownUsers, Watchdog, WatchdogMember,
};

pub fn node(number: u32) -> Node {
    let name = format!("pg{:02}", number + 1);
    Node {
        number: NodeNumber(number),
        name: NodeName(name.clone()),
        host: name,
        port: 5432,
        weight: 1.0,
        data_dir: PathBuf::from("/u01/pg17/data"),
        flag: BackendFlag::AllowToFailover,
    }
}

/// n nodes, synchronous from three on, services `orders` (passwords given) and `billing` (generated).
pub fn cluster(nodes: u32) -> ClusterSpec {
    ClusterSpec {
        nodes: (0..nodes).map(node).collect(),
        kind: ClusterKind::Cluster,
        bootstrap: NodeNumber(0),
        repmgr_password: Some(Secret::new("rep123")),
        other_password: None,
        replication: if nodes >= 3 { Replication::Sync } else { Replication::Async },
        failover: FailoverMode::Auto,
        failover_after: Duration::from_secs(10),
        database: "phoenix".into(),
        services: vec![
            service("orders", RolePassword::Given(Secret::new("o1")), RolePassword::Given(Secret::new("o2"))),
            service("billing", RolePassword::Generate, RolePassword::Generate),
        ],
        tls: None,
        log: LogSpec { format: LogFormat::Text, level: LogLevel::Info },
    }
}

pub fn service(name: &str, owner_password: RolePassword, user_password: RolePassword) -> Service {
    Service { name: name.into(), owner_password, user_password }
}

pub fn setting(name: &str, value: &str) -> Setting {
    Setting { name: name.into(), value: value.into() }
}

/// Node `me` (a number, from 0) of `nodes`.
pub fn postgres(nodes: u32, me: u32) -> PostgresSpec {
    PostgresSpec {
        cluster: cluster(nodes),
        me: NodeNumber(me),
        data_dir: PathBuf::from("/u01/pg17/data"),
        major: 17,
        superuser: Superuser { name: "postgres".into(), password: Some(Secret::new("rep123")), database: "postgres".into() },
        host_auth: HostAuth::ScramSha256,
        initdb_args: vec![],
        initdb_wal_dir: None,
        settings: vec![],
        tune: Tune::Auto,
        archive_dir: None,
        client_networks: vec!["samenet".into()],
    }
}

/// `docker run -e POSTGRES_PASSWORD=… -e POSTGRES_USER=app`.
pub fn standalone() -> PostgresSpec {
    let mut spec = postgres(1, 0);
    spec.cluster.kind = ClusterKind::Standalone;
    spec.cluster.repmgr_password = None;
    spec.cluster.services = vec![];
    spec.superuser.name = "app".into();
    spec.client_networks = vec!["all".into()];
    spec
}

pub fn rules(file: &str, text: &str) -> HbaRules {
    HbaRules { file: file.into(), text: text.into() }
}

pub fn pgpool(nodes: u32) -> PgpoolSpec {
    PgpoolSpec {
        cluster: cluster(nodes),
        name: "pgpool01".into(),
        port: 9999,
        pcp_user: "pgpool".into(),
        pcp_password: Secret::new("pcp123"),
        unknown_users: UnknownUsers::TlsPassword,
        watchdog: None,
        settings: vec![],
        search_primary: Duration::from_secs(10),
        client_networks: vec!["all".into()],
    }
}

/// This pgpool is number 1 of `pgpools`.
pub fn watchdog(pgpools: u32, delegate_ip: Option<IpAddr>) -> Watchdog {
    let member = |number: u32| WatchdogMember {
        number,
        host: format!("pgpool{:02}", number + 1),
        pgpool_port: 9999,
        watchdog_port: 9000,
        heartbeat_host: format!("pgpool{:02}", number + 1),
        heartbeat_port: 9694,
    };
    Watchdog { number: 1, members: (0..pgpools).map(member).collect(), delegate_ip, trusted_servers: vec!["172.23.1.250".into()] }
}
