//! What the container's processes are, and what they can be seen to know.

use std::time::Duration;

use crate::build::{Cluster, OWNER_PASSWORD, PCP_PASSWORD, POOL, POSTGRES_PASSWORD, REPMGR_PASSWORD, USER_PASSWORD};
use crate::docker::{docker, image};
use crate::health::DEADLINE;

impl Cluster {
    /// pid and name of the container's server: PID 1, or docker-init's only child.
    fn server(&self, name: &str) -> (String, String) {
        let text = self.exec(name, &["sh", "-c", "p=1; [ \"$(cat /proc/1/comm)\" = docker-init ] && p=$(cat /proc/1/task/1/children | cut -d' ' -f1); echo $p; cat /proc/$p/comm"]);
        let (pid, comm) = text.split_once('\n').unwrap();
        (pid.to_string(), comm.to_string())
    }

    /// Environment and command line of the server's processes, as root sees them. Docker's own init and health checks have the
    /// container's environment, as everything has that `docker exec` starts: who wants it out of there gives files.
    fn assert_no_secret_shows(&self, name: &str) {
        let script = "for p in /proc/[0-9]*; do case $(cat $p/comm) in postgres|pgpool) cat $p/environ $p/cmdline;; esac; done | tr '\\0' '\\n'";
        let pid = format!("container:{}", self.container(name));
        let image = image("postgres");
        let options = ["run", "--rm", "--pid", &pid, "--user", "0", "--cap-add", "SYS_PTRACE", "--entrypoint", "sh"];
        let seen = docker(&[options.as_slice(), &[&image, "-c", script]].concat());
        assert!(seen.contains("PATH="), "nothing was seen: {seen}");
        for secret in [REPMGR_PASSWORD, POSTGRES_PASSWORD, PCP_PASSWORD, OWNER_PASSWORD, USER_PASSWORD] {
            assert!(!seen.contains(secret), "{name} shows {secret}");
        }
        assert!(!self.logs(name).contains("-Secret-"), "{name} logs a secret");
    }
}

#[test]
fn the_server_is_the_containers_process_and_its_environment_holds_no_secret() {
    for init in [true, false] {
        let wish = Cluster::nodes("process", 1).pgpool();
        let cluster = if init { wish.up() } else { wish.without_init().up() };
        cluster.wait_healthy("pg01");
        for (name, comm) in [("pg01", "postgres"), (POOL, "pgpool")] {
            let (pid, found) = cluster.server(name);
            assert_eq!(found, comm);
            assert_eq!(pid == "1", !init, "pid {pid}");
            cluster.assert_no_secret_shows(name);
            println!("init {init}: {name} runs {comm} as pid {pid}, no secret in any environment or command line");
        }
        assert!(cluster.stop("pg01") < Duration::from_secs(10));
        assert_eq!(cluster.inspect("pg01", "{{.State.ExitCode}}"), "0");
    }
}

#[test]
fn root_becomes_postgres_and_takes_its_volume_along() {
    let cluster = Cluster::nodes("root", 1).user("0").create();
    cluster.in_volume("pg01", "chown 0:0 . && chmod 755 .");
    cluster.start("pg01");
    cluster.wait_healthy("pg01");
    let (pid, _) = cluster.server("pg01");
    let status = cluster.exec("pg01", &["grep", "-E", "^(Uid|Gid|CapEff|NoNewPrivs)", &format!("/proc/{pid}/status")]);
    assert!(status.contains("Uid:\t50010\t50010\t50010\t50010"), "{status}");
    assert!(status.contains("Gid:\t50010\t50010\t50010\t50010"), "{status}");
    assert!(status.contains("CapEff:\t0000000000000000"), "{status}");
    assert_eq!(cluster.in_volume("pg01", "stat -c %u . data"), "50010\n50010");
}

#[test]
fn another_user_is_refused_with_a_sentence() {
    let cluster = Cluster::nodes("other", 1).user("1234").create();
    cluster.start("pg01");
    let code = cluster.wait_for_exit("pg01", DEADLINE);
    let log = cluster.logs("pg01");
    assert_eq!(code, 1, "{log}");
    assert!(log.contains("run as uid 50010 (postgres), not 1234"), "{log}");
}

/// Wherever a stop hits a start, it ends the container soon and breaks nothing.
#[test]
fn a_stop_at_any_moment_of_a_start_is_obeyed() {
    let cluster = Cluster::nodes("moment", 1).without_init().up();
    cluster.wait_healthy("pg01");
    let mut longest = Duration::ZERO;
    let mut endings = Vec::new();
    for attempt in 0..10 {
        cluster.stop("pg01");
        cluster.start("pg01");
        // Spread over a start, in an order that is not the same in each run.
        let delay = (attempt * 150 + u64::from(std::process::id()) % 150) % 1500;
        std::thread::sleep(Duration::from_millis(delay));
        let took = cluster.stop("pg01");
        longest = longest.max(took);
        let ending = cluster.inspect("pg01", "{{.State.ExitCode}} {{.State.OOMKilled}}");
        assert!(took < Duration::from_secs(10), "stop after {delay} ms took {took:?}");
        assert!(["0 false", "130 false"].contains(&ending.as_str()), "stop after {delay} ms ended with {ending}");
        endings.push(format!("{delay} ms: {}", ending.split(' ').next().unwrap()));
        let state = cluster.control("pg01", "Database cluster state");
        assert_eq!(state, "shut down", "stop after {delay} ms");
    }
    cluster.start("pg01");
    cluster.wait_healthy("pg01");
    println!("stops at {endings:?}; the longest took {longest:.1?}");
}
