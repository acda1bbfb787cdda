//! Three nodes and a pgpool, and who may log in with what.

use crate::docker::container::{Container, Run, START};
use crate::docker::psql::{Login, Psql};
use crate::docker::{Scope, docker, wait_until};

pub const DATABASE: &str = "phoenix";
pub const REPMGR: &str = r#"rep: , ' " \ $HOME é`x`"#;
pub const SUPERUSER: &str = r#"su: , ' " \ ${x} é #;"#;
const PCP: &str = r#"pcp: , ' " \ $ é"#;
/// SCRAM to the client, inside TLS: what every known role gets.
pub const SCRAM: &str = "sslmode=require require_auth=scram-sha-256";

/// What `MSLIST` and its passwords make.
pub struct Role {
    pub name: &'static str,
    pub password: String,
}

/// Three services; the second has passwords at the limits of pgpool's pool_passwd.
pub fn roles() -> Vec<Role> {
    let role = |name, password: &str| Role { name, password: password.into() };
    vec![
        role("orders_owner", r#"o: , ' " \ $ é"#),
        role("orders_user", r#" '"\\$(id):,::é "#),
        role("billing_owner", &long('x', 79)),
        role("billing_user", &long('y', 80)),
        role("audit_owner", &long('z', 124)),
        // Decomposed: PostgreSQL and its clients prepare it to one character, pgpool does not.
        role("audit_user", "TEXTplain-e\u{301}-AESmd5"),
    ]
}

/// A password of this many bytes, which does not repeat itself.
pub fn long(first: char, bytes: usize) -> String {
    let text: String = (0..40).map(|n| format!("{first}{n} é$")).collect();
    let mut end = bytes;
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    format!("{}{}", &text[..end], "e".repeat(bytes - end))
}

/// The password of a role.
pub fn password(name: &str) -> String {
    roles().into_iter().find(|role| role.name == name).expect("one of the six roles").password
}

/// JSON, because of the commas.
fn list(suffix: &str) -> String {
    let passwords: Vec<String> =
        roles().into_iter().filter(|role| role.name.ends_with(suffix)).map(|role| role.password).collect();
    serde_json::to_string(&passwords).expect("strings are JSON")
}

pub struct Cluster<'a> {
    scope: &'a Scope,
    pub nodes: Vec<Container>,
    pub pgpool: Container,
    pub port: u16,
    pub psql: Psql,
}

impl<'a> Cluster<'a> {
    /// Returns when a service can write through pgpool.
    pub fn start(scope: &'a Scope) -> Cluster<'a> {
        scope.network();
        let psql = Psql::new(scope);
        let nodes = ["pg01", "pg02", "pg03"].map(|name| node(scope, name).start()).into();
        let pgpool = pool(scope, "pgpool01").start();
        let port = published_port(&pgpool);
        let cluster = Cluster { scope, nodes, pgpool, port, psql };
        wait_until("a write through pgpool", START * 2, || cluster.run("orders_owner", "CREATE TEMP TABLE writable ()").ok());
        cluster
    }

    /// SQL as one of the six roles, through pgpool.
    pub fn run(&self, role: &str, statement: &str) -> Result<String, String> {
        self.run_with(role, &password(role), SCRAM, statement)
    }

    pub fn run_with(&self, user: &str, password: &str, options: &str, statement: &str) -> Result<String, String> {
        self.psql.run(Login { port: self.port, user, password, database: DATABASE, options }, statement)
    }

    /// One more pgpool, with something different.
    pub fn another_pool(&self, name: &str, change: impl FnOnce(Run) -> Run) -> (Container, u16) {
        let pool = change(pool(self.scope, name)).start();
        let port = published_port(&pool);
        let password = password("audit_owner");
        let login = Login { port, user: "audit_owner", password: &password, database: DATABASE, options: SCRAM };
        wait_until("a login through another pgpool", START, || self.psql.run(login, "SELECT 1").ok());
        (pool, port)
    }

    pub fn primary(&self) -> &Container {
        let is_primary = |node: &&Container| node.sql("postgres", "SELECT pg_is_in_recovery()") == "f";
        self.nodes.iter().find(is_primary).expect("one of the nodes is primary")
    }

    pub fn containers(&self) -> impl Iterator<Item = &Container> {
        self.nodes.iter().chain([&self.pgpool])
    }
}

/// What every container of the cluster is told.
pub fn common(run: Run) -> Run {
    run.env("PG_BACKEND_NODE_LIST", "0:pg01,1:pg02,2:pg03")
        .env("REPMGRPWD", REPMGR)
        .env("POSTGRES_PASSWORD", SUPERUSER)
        .env("MSLIST", "orders,billing,audit")
        .env("MSOWNERPWDLIST", &list("_owner"))
        .env("MSUSERPWDLIST", &list("_user"))
        .option("--health-interval", "1s")
}

fn node(scope: &Scope, name: &str) -> Run {
    // Everything that a server can be made to say.
    let run = common(Run::new(scope, name, "postgres")).env("PGCONF_log_statement", "all").env("PGCONF_log_connections", "on");
    run.env("NODE_NAME", name).option("--hostname", name).option("--network", &scope.name).option("--network-alias", name)
}

fn pool(scope: &Scope, name: &str) -> Run {
    let run = common(Run::new(scope, name, "pgpool")).env("PCPPWD", PCP).env("PGPOOL_log_connections", "on");
    run.env("PGP_NODE_NAME", name)
        .option("--hostname", name)
        .option("--network", &scope.name)
        .option("--network-alias", name)
        .option("--publish", "127.0.0.1::9999")
}

fn published_port(pool: &Container) -> u16 {
    let address = docker(&["port", &pool.name, "9999"]);
    address.rsplit(':').next().and_then(|port| port.parse().ok()).expect("address:port")
}

/// Every password of this cluster.
pub fn secrets() -> Vec<String> {
    let mut all: Vec<String> = roles().into_iter().map(|role| role.password).collect();
    all.extend([REPMGR, SUPERUSER, PCP].map(String::from));
    all
}
