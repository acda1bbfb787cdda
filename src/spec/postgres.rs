//! What a database container is told.

use super::cluster::{self, Ground, HostFacts};
use super::raw::RawEnv;
use super::types::{ClusterKind, HostAuth, Node, PostgresSpec, Superuser, Tune};
use super::values::{choice, digits, directory, networks, shell_words, sql_name};
use super::vars::Images;
use super::violation::{Violation, Violations};
use super::{originals, password, settings, typo};
use crate::model::NodeNumber;

/// initdb options that would contradict what pgcluster passes itself.
const OWN_INITDB_OPTIONS: &[(&str, &str)] = &[
    ("-D", "set PGDATA"),
    ("--pgdata", "set PGDATA"),
    ("-U", "set POSTGRES_USER"),
    ("--username", "set POSTGRES_USER"),
    ("-W", "set POSTGRES_PASSWORD"),
    ("--pwprompt", "set POSTGRES_PASSWORD"),
    ("--pwfile", "set POSTGRES_PASSWORD_FILE"),
    ("-X", "set POSTGRES_INITDB_WALDIR"),
    ("--waldir", "set POSTGRES_INITDB_WALDIR"),
];

/// The environment of a postgres container, or everything that is wrong with it.
pub fn postgres_spec(raw: &RawEnv, host: &HostFacts) -> Result<PostgresSpec, Violations> {
    let mut found = Violations::default();
    raw.violations(Images::Postgres).for_each(|violation| found.add(violation.clone()));
    typo::unknown_names(raw).into_iter().for_each(|violation| found.add(violation));
    let ground = cluster::ground(raw, &mut found);
    let kind = cluster::kind(raw);
    let nodes = match kind {
        ClusterKind::Cluster => cluster::listed_nodes(raw, &ground.data_dir, &mut found),
        ClusterKind::Standalone => alone(raw, host, &ground, &mut found).map(|node| vec![node]),
    };
    let me = match (&nodes, kind) {
        (Some(nodes), ClusterKind::Cluster) => found.take(me(raw, host, nodes)),
        (Some(_), ClusterKind::Standalone) => Some(NodeNumber(0)),
        (None, _) => None,
    };
    let cluster = cluster::cluster_spec(raw, nodes, &mut found);
    originals::check_postgres(raw, cluster.as_ref(), me, &mut found);
    let spec = rest(raw, ground, cluster, me, &mut found);
    found.or(spec)
}

fn rest(
    raw: &RawEnv,
    ground: Ground,
    cluster: Option<super::ClusterSpec>,
    me: Option<NodeNumber>,
    found: &mut Violations,
) -> Option<PostgresSpec> {
    let text = &raw.postgres;
    let kind = cluster::kind(raw);
    let host_auth = host_auth(raw, kind, found);
    let superuser = superuser(raw, kind, host_auth, found);
    if let (Some(superuser), Some(cluster)) = (&superuser, &cluster) {
        roles_differ(superuser, cluster, found);
    }
    let initdb_args = found.take(initdb_args(text.postgres_initdb_args.as_deref().unwrap_or_default()));
    let initdb_wal_dir = text.postgres_initdb_waldir.as_deref().and_then(|text| found.take(wal_dir(text, &ground)));
    let archive_dir = text.archive_dir.as_deref().and_then(|text| found.take(directory("ARCHIVE_DIR", text)));
    let settings = found.take(settings::postgres_settings(raw, cluster.as_ref().map(|cluster| cluster.replication)));
    let tune = choice("PG_TUNE", text.pg_tune.as_deref().unwrap_or("auto"), &[("auto", Tune::Auto), ("off", Tune::Off)]);
    let tune = found.take(tune);
    let everybody = match kind {
        ClusterKind::Cluster => "samenet",
        ClusterKind::Standalone => "all",
    };
    let client_networks = found.take(networks("PG_CLIENT_NETWORKS", text.pg_client_networks.as_deref().unwrap_or(everybody)));
    Some(PostgresSpec {
        cluster: cluster?,
        me: me?,
        data_dir: ground.data_dir,
        major: ground.major,
        superuser: superuser?,
        host_auth: host_auth?,
        initdb_args: initdb_args?,
        initdb_wal_dir,
        settings: settings?,
        tune: tune?,
        archive_dir,
        client_networks: client_networks?,
    })
}

fn alone(raw: &RawEnv, host: &HostFacts, ground: &Ground, found: &mut Violations) -> Option<Node> {
    let name = raw.postgres.node_name.as_deref().unwrap_or(&host.host_name);
    if let Some(id) = raw.postgres.node_id.as_deref().filter(|id| id.trim() != "1") {
        let hint = "set PG_BACKEND_NODE_LIST in every container, or unset NODE_ID for a single node";
        found.add(Violation::of("NODE_ID", id, "another node than 1, and there is no PG_BACKEND_NODE_LIST", hint));
    }
    found.take(cluster::single_node("NODE_NAME", name.trim(), &ground.data_dir))
}

/// Which node this container is: `NODE_NAME`, `NODE_ID`, else the host name. They must not contradict each other.
fn me(raw: &RawEnv, host: &HostFacts, nodes: &[Node]) -> Result<NodeNumber, Violation> {
    let known = cluster::names(nodes);
    let by_name = raw.postgres.node_name.as_deref().map(|name| {
        let hint = format!("name one of: {known}");
        let node = cluster::find(nodes, name.trim());
        node.ok_or_else(|| Violation::of("NODE_NAME", name, "not a node of PG_BACKEND_NODE_LIST", hint))
    });
    let by_id = raw.postgres.node_id.as_deref().map(|id| {
        let node = digits(id.trim()).and_then(|id| nodes.iter().find(|node| node.id().0 == id));
        let hint = format!("a repmgr node id is the node's number + 1: use 1 to {}", nodes.len());
        node.ok_or_else(|| Violation::of("NODE_ID", id, "not the id of a node of PG_BACKEND_NODE_LIST", hint))
    });
    match (by_name.transpose()?, by_id.transpose()?) {
        (Some(name), Some(id)) if name.number != id.number => {
            let rule = format!(
                "this is {} (number {}), but NODE_NAME says {}, whose id is {}",
                id.name,
                id.number,
                name.name,
                name.id()
            );
            Err(Violation::of(
                "NODE_ID",
                &id.id().to_string(),
                rule,
                "a repmgr node id is the node's number + 1; keep NODE_NAME alone",
            ))
        }
        (Some(node), _) | (None, Some(node)) => Ok(node.number),
        (None, None) => cluster::find(nodes, &host.host_name).map(|node| node.number).ok_or_else(|| {
            let rule = format!("unset, and the host name {:?} is not a node of PG_BACKEND_NODE_LIST", host.host_name);
            Violation::new("NODE_NAME", rule, format!("set NODE_NAME, or `hostname:` in compose, to one of: {known}"))
        }),
    }
}

fn host_auth(raw: &RawEnv, kind: ClusterKind, found: &mut Violations) -> Option<HostAuth> {
    const VARIABLE: &str = "POSTGRES_HOST_AUTH_METHOD";
    let text = raw.postgres.postgres_host_auth_method.as_deref().unwrap_or("scram-sha-256");
    if kind == ClusterKind::Cluster && raw.is_given(VARIABLE) {
        let rule = "only for a single node; with PG_BACKEND_NODE_LIST every access uses scram-sha-256";
        found.add(Violation::of(VARIABLE, text, rule, "unset it; put special access rules into /etc/pgcluster/hba.d/*.conf"));
        return None;
    }
    let words = [
        ("scram-sha-256", HostAuth::ScramSha256),
        ("md5", HostAuth::Md5),
        ("password", HostAuth::Password),
        ("trust", HostAuth::Trust),
    ];
    found.take(choice(VARIABLE, text, &words))
}

fn superuser(raw: &RawEnv, kind: ClusterKind, host_auth: Option<HostAuth>, found: &mut Violations) -> Option<Superuser> {
    let text = &raw.postgres;
    let password = match (&text.postgres_password, &raw.cluster.repmgrpwd) {
        (Some(text), _) => found.take(password::secret("POSTGRES_PASSWORD", text, password::printable)),
        (None, Some(text)) => found.take(password::secret("REPMGRPWD", text, password::through_pgpool)),
        (None, None) => None,
    };
    let given = [("POSTGRES_PASSWORD", text.postgres_password.is_some()), ("REPMGRPWD", raw.cluster.repmgrpwd.is_some())];
    let given = given.iter().any(|(name, given)| *given || raw.is_broken(name));
    match kind {
        ClusterKind::Cluster => cluster_needs_repmgr(raw, found),
        ClusterKind::Standalone if given || matches!(host_auth, Some(HostAuth::Trust) | None) => {}
        ClusterKind::Standalone => {
            let hint = "docker run -e POSTGRES_PASSWORD=…, or POSTGRES_PASSWORD_FILE with a secret; \
                        POSTGRES_HOST_AUTH_METHOD=trust lets everybody in without a password and is for experiments only";
            found.add(Violation::new("POSTGRES_PASSWORD", "required: the superuser needs a password", hint));
        }
    }
    let name = found.take(sql_name("POSTGRES_USER", text.postgres_user.as_deref().unwrap_or("postgres")))?;
    let database = match text.postgres_db.as_deref() {
        Some(text) => found.take(sql_name("POSTGRES_DB", text))?,
        None => name.clone(),
    };
    Some(Superuser { name, password, database })
}

fn cluster_needs_repmgr(raw: &RawEnv, found: &mut Violations) {
    if raw.cluster.repmgrpwd.is_none() && !raw.is_broken("REPMGRPWD") {
        let hint = "give all containers the same REPMGRPWD, or REPMGRPWD_FILE with a secret";
        found.add(Violation::new("REPMGRPWD", "required with PG_BACKEND_NODE_LIST", hint));
    }
}

fn roles_differ(superuser: &Superuser, cluster: &super::ClusterSpec, found: &mut Violations) {
    if cluster.services.iter().any(|service| service.owner() == superuser.name || service.user() == superuser.name) {
        let rule = "also a role of a service in MSLIST";
        found.add(Violation::of("POSTGRES_USER", &superuser.name, rule, "rename the superuser or the service"));
    }
}

fn initdb_args(text: &str) -> Result<Vec<String>, Violation> {
    const VARIABLE: &str = "POSTGRES_INITDB_ARGS";
    let words =
        shell_words(text).ok_or_else(|| Violation::of(VARIABLE, text, "a quote or backslash is left open", "close it"))?;
    let option = |word: &str| word.split('=').next().unwrap_or_default().to_owned();
    let own = words.iter().find_map(|word| {
        OWN_INITDB_OPTIONS.iter().find(|(own, _)| option(word) == *own || (own.len() == 2 && word.starts_with(own)))
    });
    match own {
        Some((own, instead)) => Err(Violation::of(VARIABLE, text, format!("{own} is pgcluster's own"), *instead)),
        None => Ok(words),
    }
}

fn wal_dir(text: &str, ground: &Ground) -> Result<std::path::PathBuf, Violation> {
    const VARIABLE: &str = "POSTGRES_INITDB_WALDIR";
    let dir = directory(VARIABLE, text)?;
    if dir.starts_with(&ground.data_dir) || ground.data_dir.starts_with(&dir) {
        let rule = format!("overlaps with the data directory {}", ground.data_dir.display());
        return Err(Violation::of(VARIABLE, text, rule, "give a directory on a volume of its own"));
    }
    Ok(dir)
}
