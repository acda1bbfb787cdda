//! Which passwords open what, and where one can still be read.

use std::time::{Duration, Instant};

use pgcluster::render::check_role::{CHECK_ROLE, check_password};
use pgcluster::spec::Secret;

use crate::build::{Cluster, POOL};
use crate::docker::{search_files, try_docker, wait_until};

/// For a change to arrive everywhere: health checks run every five seconds, on a machine that has other things to do.
pub const DEADLINE: Duration = Duration::from_secs(180);

/// Everything that a start or a reload writes, and what is kept between.
const GENERATED: &str = "grep -raFlf - --devices=skip --exclude-dir=secrets --exclude-dir=lock \
    /run /tmp /etc/pgcluster /etc/pgpool-II /etc/repmgr /u01/pg17/data/*.conf /u01/pg17/data/*.json 2>/dev/null; true";

impl Cluster {
    /// Waits until every oracle is content; who is primary then.
    #[track_caller]
    pub fn wait_until_settled(&self) -> String {
        let mut illness = String::from("nobody is primary");
        let began = Instant::now();
        while began.elapsed() < DEADLINE {
            if let Some(primary) = self.primary() {
                match self.find_illness(&primary).or_else(|| self.find_pool_illness(&primary)) {
                    None => return primary,
                    Some(found) => illness = found,
                }
            }
            std::thread::sleep(Duration::from_millis(300));
        }
        panic!("not healthy after {DEADLINE:?}: {illness}");
    }

    /// psql in a database container, to any host of the network.
    pub fn log_in(&self, host: &str, user: &str, password: &str, database: &str) -> Result<String, String> {
        let port = if host == POOL { "9999" } else { "5432" };
        let conninfo = format!("host={host} port={port} user={user} dbname={database} sslmode=require connect_timeout=10");
        let from = self.nodes.iter().find(|node| self.is_running(node)).expect("a container with psql runs");
        let password = format!("PGPASSWORD={password}");
        let psql = ["timeout", "20", "psql", "-XAtqw", "-d", &conninfo, "-c", "SELECT 1"];
        try_docker(&[&["exec", "-e", &password, &self.container(from)], psql.as_slice()].concat())
    }

    /// `new` opens every node and pgpool to `repmgr`, and what derives from it to pgpool's own role; `old` opens nothing.
    #[track_caller]
    pub fn wait_until_changed(&self, old: &str, new: &str) {
        let derived = |password: &str| check_password(&Secret::new(password)).expose().to_string();
        let logins =
            [("repmgr", "repmgr", old.to_string(), new.to_string()), (CHECK_ROLE, "postgres", derived(old), derived(new))];
        let hosts: Vec<String> = self.nodes.iter().cloned().chain([POOL.to_string()]).collect();
        for host in &hosts {
            for (user, database, _, new) in &logins {
                let what = format!("{host} takes the new password of {user}");
                wait_until(&what, DEADLINE, || self.log_in(host, user, new, database).ok());
            }
        }
        for host in &hosts {
            for (user, database, old, _) in &logins {
                let refusal = self.log_in(host, user, old, database).expect_err("the old password opens nothing");
                assert!(refusal.contains("authentication failed"), "{host}, {user}: {refusal}");
            }
        }
    }

    /// No file of any container has one of `texts`.
    #[track_caller]
    pub fn wait_until_nowhere(&self, texts: &[&str]) {
        for name in self.names() {
            let mut last = String::new();
            let began = Instant::now();
            loop {
                let found = search_files(&self.container(&name), GENERATED, &(texts.join("\n") + "\n"));
                if found.is_empty() {
                    break;
                }
                last.clone_from(&found);
                assert!(began.elapsed() < DEADLINE, "{name} still has the old password in: {last}");
                std::thread::sleep(Duration::from_millis(500));
            }
        }
    }
}
