//! Passwords on their whole way: environment → verifiers in PostgreSQL, pool_passwd, pcp.conf and the password files → a login.

use pgcluster::render::quote::conninfo;

use crate::dice::texts;
use crate::docker::container::{Container, Run, START};
use crate::docker::files::Files;
use crate::docker::{Scope, wait_until};

const SERVICES: usize = 12;

/// Any printable text, with what the grammars on the way might trip over, and what SASLprep maps, drops or forbids.
const PASSWORD: &str =
    r#"(\PC|['"\\$:#,=;`%{} /@+*\[\]-]{1,4}|[éﬀ\u{ad}\u{200b}\u{3000}אب\u{301}]|TEXT|AES|md5|SCRAM-SHA-256\$){1,15}"#;
/// What a superuser may be called.
const NAME: &str = r"[a-zA-Z_][a-zA-Z0-9 _.#=@%+*(){}|~^!?;<>-]{0,20}[a-zA-Z0-9_#=+*]";

struct Secrets {
    owners: Vec<String>,
    users: Vec<String>,
    control: [String; 3],
    superuser: String,
}

/// Short enough for pool_passwd even when SASLprep makes them longer.
fn secrets() -> Secrets {
    let mut passwords: Vec<String> =
        texts(PASSWORD, 2 * SERVICES + 3).into_iter().map(|text| text.chars().take(18).collect()).collect();
    let mut control: [String; 3] = std::array::from_fn(|_| passwords.pop().unwrap());
    // The superuser gives its password to pgpool in clear, and pgpool knows no SASLprep.
    control[1].retain(|c| c.is_ascii());
    control[1].push('$');
    let users = passwords.split_off(SERVICES);
    Secrets { owners: passwords, users, control, superuser: texts(NAME, 1).remove(0) }
}

fn common(run: Run, scope: &Scope, name: &str, secrets: &Secrets) -> Run {
    let names: Vec<String> = (0..SERVICES).map(|i| format!("s{i}")).collect();
    let json = |list: &[String]| serde_json::to_string(list).unwrap();
    let [repmgr, superuser, pcp] = &secrets.control;
    run.option("--hostname", name)
        .option("--network", &scope.name)
        .option("--network-alias", name)
        .env("PG_BACKEND_NODE_LIST", "0:pg01")
        .env("REPMGRPWD", repmgr)
        .env("POSTGRES_USER", &secrets.superuser)
        .env("POSTGRES_PASSWORD", superuser)
        .env("PCPPWD", pcp)
        .env("MSLIST", &json(&names))
        .env("MSOWNERPWDLIST", &json(&secrets.owners))
        .env("MSUSERPWDLIST", &json(&secrets.users))
}

#[test]
fn every_password_logs_in_through_pgpool() {
    let scope = Scope::new("round-pool");
    scope.network();
    let (files, secrets) = (Files::new(), secrets());
    let logins = write_logins(&files, &secrets);
    let node = Run::new(&scope, "pg01", "postgres").volume(files.at("/w")).env("NODE_NAME", "pg01");
    let node = common(node, &scope, "pg01", &secrets).start();
    let pool = Run::new(&scope, "pgpool01", "pgpool").env("PGP_NODE_NAME", "pgpool01");
    let pool = common(pool, &scope, "pgpool01", &secrets).start();
    wait_until("a login through pgpool", START * 4, || {
        assert!(node.is_running() && pool.is_running(), "{}\n{}", node.logs(), pool.logs());
        node.try_exec(&["bash", "-uc", "psql \"$(</w/login-0)\" -XAtqwc 'SELECT 1'"]).ok()
    });
    assert_eq!(node.exec(&["bash", "-uc", LOG_IN]), format!("{logins} logins"), "these did not get in");
    by_password_file(&node, &pool);
}

const LOG_IN: &str = "
    for ((i = 0; i < $(ls /w/role-* | wc -l); i++)); do
      role=$(psql \"$(</w/login-$i)\" -XAtqwc 'SELECT current_user' 2>&1)
      [ \"$role\" = \"$(</w/role-$i)\" ] || echo \"$(</w/role-$i): $role\"
    done
    echo \"$i logins\"";

/// SCRAM for the services; the superuser, whom pgpool does not know, gives its password in clear inside TLS.
fn write_logins(files: &Files, secrets: &Secrets) -> usize {
    let services = |list: &[String], suffix: &str| -> Vec<(String, String, &str)> {
        list.iter().enumerate().map(|(i, password)| (format!("s{i}_{suffix}"), password.clone(), "scram-sha-256")).collect()
    };
    let superuser = (secrets.superuser.clone(), secrets.control[1].clone(), "password");
    let all = [services(&secrets.owners, "owner"), services(&secrets.users, "user"), vec![superuser]].concat();
    for (i, (role, password, method)) in all.iter().enumerate() {
        let server = [("host", "pgpool01"), ("port", "9999"), ("dbname", "phoenix"), ("sslmode", "require")];
        let login = [("user", role.as_str()), ("password", password), ("require_auth", method)];
        files.write(&format!("login-{i}"), conninfo(&[&server[..], &login].concat()).unwrap());
        files.write(&format!("role-{i}"), role);
    }
    all.len()
}

/// The files that the entrypoint wrote for libpq and for pcp.
fn by_password_file(node: &Container, pool: &Container) {
    let control = "host=pg01 user=repmgr dbname=repmgr sslmode=require require_auth=scram-sha-256";
    for container in [node, pool] {
        let control = control.replace("host=pg01", "host=pg01 connect_timeout=10");
        assert_eq!(container.exec(&["psql", "-XAtqw", "-d", &control, "-c", "SELECT current_user"]), "repmgr");
    }
    assert_eq!(pool.exec(&["pcp_node_count", "-w", "-h", "localhost", "-U", "pgpool"]), "1");
}
