//! `docker stack deploy -c compose/swarm.yml`, on a swarm of this machine alone.

use std::process::Command;

use crate::docker::Scope;
use crate::docker::psql::Psql;
use crate::docker::{docker, eventually, try_docker};
use crate::project::{assert_gone, containers, own_machine, run, secret, tag, wait_healthy, write_through_pgpool};

/// The swarm, if it was begun here, ends here.
struct Swarm {
    began_here: bool,
}

impl Swarm {
    fn join() -> Swarm {
        let began_here = docker(&["info", "-f", "{{.Swarm.LocalNodeState}}"]) == "inactive";
        if began_here {
            docker(&["swarm", "init", "--advertise-addr", "127.0.0.1"]);
        }
        Swarm { began_here }
    }
}

impl Drop for Swarm {
    fn drop(&mut self) {
        if self.began_here {
            let _ = try_docker(&["swarm", "leave", "--force"]);
        }
    }
}

struct Stack {
    name: String,
}

impl Stack {
    fn label(&self) -> String {
        format!("com.docker.stack.namespace={}", self.name)
    }

    /// `docker stack rm` returns early and leaves the volumes, on purpose.
    fn remove(&self) {
        let _ = try_docker(&["stack", "rm", &self.name]);
        let filter = format!("label={}", self.label());
        eventually("the stack's containers and network to be gone", || {
            containers(&self.label()).is_empty() && docker(&["network", "ls", "-q", "--filter", &filter]).is_empty()
        });
        let volumes = docker(&["volume", "ls", "-q", "--filter", &filter]);
        for volume in volumes.lines() {
            docker(&["volume", "rm", volume]);
        }
    }
}

impl Drop for Stack {
    fn drop(&mut self) {
        if std::thread::panicking() {
            for container in containers(&self.label()) {
                eprintln!("── {container}\n{}", crate::docker::logs(&container));
            }
            self.remove();
        }
    }
}

/// A port that is free now; Swarm takes a number, not "any".
fn free_port() -> u16 {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("bind to a free port");
    listener.local_addr().expect("its address").port()
}

#[test]
fn stack() {
    let _machine = own_machine();
    let scope = Scope::new("stack");
    let _swarm = Swarm::join();
    let stack = Stack { name: scope.name.clone() };
    let port = free_port();
    secret("repmgr_password");
    let mut deploy = Command::new("docker");
    deploy.args(["stack", "deploy", "--resolve-image", "never", "-c", "compose/swarm.yml", &stack.name]);
    // Ingress needs IPVS in the kernel, which small machines of test runners do not have.
    deploy.env("PGCLUSTER_TAG", tag()).env("PGPOOL_PUBLISH", port.to_string()).env("PGPOOL_PUBLISH_MODE", "host");
    run(&mut deploy);
    let psql = Psql::new(&scope);
    write_through_pgpool(&psql, port, 1);
    wait_healthy(&stack.label(), 4);
    let one = containers(&stack.label()).into_iter().find(|name| name.contains("_pg02.")).expect("a task of pg02");
    let mounts = docker(&["exec", &one, "stat", "-c", "%a %u", "/run/pgcluster", "/u01/pg17/data"]);
    assert_eq!(mounts, "700 50010\n700 50010");

    // Swarm's way to restart a task: a new container on the same volume.
    docker(&["service", "update", "--force", "--detach", &format!("{}_pg02", stack.name)]);
    let running = || docker(&["ps", "--filter", &format!("name={}_pg02", stack.name), "--format", "{{.Names}}"]);
    eventually("pg02 in a new container", || !running().is_empty() && !running().contains(&one));
    write_through_pgpool(&psql, port, 2);
    stack.remove();
    assert_gone(&stack.label());
}
