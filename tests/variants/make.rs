//! `make up`, twice, `make down`, `make clean`: in a project of its own.

use std::process::Command;

use crate::docker::Scope;
use crate::docker::psql::Psql;
use crate::docker::{docker, try_docker};
use crate::project::{assert_gone, containers, port_of, run, share_machine, wait_healthy, write_through_pgpool};

/// `make` with names, ports and an image tag of its own.
struct Make {
    name: String,
}

impl Make {
    fn make(&self, target: &str) -> Command {
        let mut command = Command::new("make");
        command.arg(target).arg(format!("TAGS={}", self.name));
        command.env("COMPOSE_PROJECT_NAME", &self.name).env("PGCLUSTER_PREFIX", format!("{}-", self.name));
        command.env("PGCLUSTER_TAG", &self.name).env("PGPOOL_PUBLISH", "127.0.0.1:0");
        // We run inside of cargo, and maybe inside of make.
        for name in ["MAKEFLAGS", "MAKELEVEL", "MFLAGS", "FEATURES"] {
            command.env_remove(name);
        }
        command
    }

    fn label(&self) -> String {
        format!("com.docker.compose.project={}", self.name)
    }

    /// What it printed, and after how many seconds it says the cluster was writable.
    #[track_caller]
    fn up(&self) -> (String, u32) {
        let began = std::time::Instant::now();
        let said = run(&mut self.make("up"));
        eprintln!("make up: {:.1} s in all", began.elapsed().as_secs_f64());
        let seconds = said.lines().find_map(|line| line.strip_prefix("writable after ")?.split(' ').next()?.parse().ok());
        let seconds = seconds.unwrap_or_else(|| panic!("make up does not say when it was writable:\n{said}"));
        (said, seconds)
    }

    fn port(&self) -> u16 {
        port_of(&docker(&["port", &format!("{}-pgpool01", self.name), "9999"]))
    }
}

impl Drop for Make {
    fn drop(&mut self) {
        let _ = self.make("clean").current_dir(crate::project::root()).output();
        for image in ["postgres", "pgpool"] {
            let _ = try_docker(&["rmi", &format!("pgcluster/{image}:{}", self.name)]);
        }
    }
}

#[test]
fn up_twice_down_and_clean() {
    let _machine = share_machine();
    let scope = Scope::new("make");
    let make = Make { name: scope.name.clone() };
    let psql = Psql::new(&scope);
    let (said, first) = make.up();
    let port = make.port();
    for words in [format!("psql -h 127.0.0.1 -p {port} -U orders_user -d phoenix"), "PGPASSWORD=$(cut -d, -f1".into()] {
        assert!(said.contains(&words), "no {words:?} in:\n{said}");
    }
    write_through_pgpool(&psql, port, 1);
    wait_healthy(&make.label(), 4);
    let (_, again) = make.up();
    assert!(again < 15, "the second make up took {again} s");
    write_through_pgpool(&psql, make.port(), 2);

    run(&mut make.make("down"));
    assert_eq!(containers(&make.label()), Vec::<String>::new());
    let (_, after_down) = make.up();
    write_through_pgpool(&psql, make.port(), 3);
    eprintln!("make up: writable after {first} s; again {again} s; after make down {after_down} s");
    run(&mut make.make("clean"));
    assert_gone(&make.label());
}
