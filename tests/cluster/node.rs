//! What can be done to a node, by the names of the faults, and what can be asked of it.
#![allow(dead_code, reason = "each test program uses its own part")]

use std::process::Command;
use std::time::{Duration, Instant};

use crate::build::{Cluster, POOL, POSTGRES_PASSWORD};
use crate::docker::{docker, docker_output, logs, try_docker, wait_until};

impl Cluster {
    /// `docker stop`: the server's own shutdown.
    #[track_caller]
    pub fn stop(&self, name: &str) -> Duration {
        let began = Instant::now();
        docker(&["stop", &self.container(name)]);
        began.elapsed()
    }

    /// All containers at once.
    #[track_caller]
    pub fn stop_all(&self) {
        let names: Vec<String> = self.names().iter().map(|name| self.container(name)).collect();
        docker(&[&["stop"], names.iter().map(String::as_str).collect::<Vec<_>>().as_slice()].concat());
    }

    /// SIGKILL by Docker, whose restart policy takes it for an operator's wish.
    #[track_caller]
    pub fn kill(&self, name: &str) {
        docker(&["kill", "-s", "KILL", &self.container(name)]);
    }

    #[track_caller]
    pub fn kill_all(&self) {
        let names = self.names();
        self.kill_all_of(&names.iter().map(String::as_str).collect::<Vec<_>>());
    }

    /// These at once.
    #[track_caller]
    pub fn kill_all_of(&self, names: &[&str]) {
        let names: Vec<String> = names.iter().map(|name| self.container(name)).collect();
        docker(&[&["kill", "-s", "KILL"], names.iter().map(String::as_str).collect::<Vec<_>>().as_slice()].concat());
    }

    /// SIGKILL from outside, as the kernel's OOM killer does: the restart policy acts.
    #[track_caller]
    pub fn crash_from_host(&self, name: &str) {
        let pid = self.host_pid(name);
        assert_ne!(pid, "0", "{name} does not run");
        let status = Command::new("kill").args(["-9", &pid]).status().unwrap();
        assert!(status.success(), "kill -9 {pid}: {status}");
    }

    /// On a busy machine runc gives up where processes are forked while it freezes them, and thaws them again.
    #[track_caller]
    pub fn pause(&self, name: &str) {
        let container = self.container(name);
        let pause = || try_docker(&["pause", &container]);
        let mut result = pause();
        for _ in 0..4 {
            if result.as_ref().is_err_and(|refusal| refusal.contains("unable to freeze")) {
                result = pause();
            }
        }
        if let Err(refusal) = result {
            panic!("docker pause {container}: {refusal}");
        }
    }

    #[track_caller]
    pub fn unpause(&self, name: &str) {
        docker(&["unpause", &self.container(name)]);
    }

    /// New connections to its server get no answer at all, as in the moments when Docker starts a container again; old ones go on.
    #[track_caller]
    pub fn lose_connections(&self, name: &str, is_lost: bool) {
        let change = if is_lost { "-A" } else { "-D" };
        self.iptables(name, &[change, "INPUT", "-p", "tcp", "--dport", "5432", "--syn", "-j", "DROP"]);
    }

    /// In the container's network, with the host's own program and rights.
    #[track_caller]
    pub fn iptables(&self, name: &str, rule: &[&str]) {
        let pid = self.host_pid(name);
        let output = Command::new("nsenter").args(["-t", &pid, "-n", "iptables", "-w"]).args(rule).output().unwrap();
        assert!(output.status.success(), "iptables {} for {name}: {}", rule.join(" "), String::from_utf8_lossy(&output.stderr));
    }

    /// A slower machine: that many processors from now on.
    #[track_caller]
    pub fn limit_cpu(&self, name: &str, cpus: &str) {
        docker(&["update", "--cpus", cpus, &self.container(name)]);
    }

    /// Off the network.
    #[track_caller]
    pub fn cut(&self, name: &str) {
        docker(&["network", "disconnect", self.network(), &self.container(name)]);
    }

    #[track_caller]
    pub fn heal(&self, name: &str) {
        docker(&["network", "connect", "--alias", name, self.network(), &self.container(name)]);
    }

    /// The container goes, its volume stays: the next `start` makes one with the environment of then.
    #[track_caller]
    pub fn remove_container(&self, name: &str) {
        docker(&["rm", "-fv", &self.container(name)]);
    }

    /// Container and volume go; an empty volume takes its place.
    #[track_caller]
    pub fn remove_volume(&self, node: &str) {
        let _ = try_docker(&["rm", "-fv", &self.container(node)]);
        docker(&["volume", "rm", &self.volume(node)]);
        self.create_volume(node);
    }

    pub fn logs(&self, name: &str) -> String {
        logs(&self.container(name))
    }

    /// What was logged since the container's last start.
    pub fn logs_of_this_start(&self, name: &str) -> String {
        self.logs_since(name, &self.inspect(name, "{{.State.StartedAt}}"))
    }

    /// `docker logs --since`: a time, or `16s`.
    pub fn logs_since(&self, name: &str, since: &str) -> String {
        let output = docker_output(&["logs", "--since", since, &self.container(name)]);
        format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
    }

    #[track_caller]
    pub fn wait_for_log(&self, name: &str, text: &str, deadline: Duration) {
        let what = format!("{name} logs {text:?}");
        wait_until(&what, deadline, || self.logs_of_this_start(name).contains(text).then_some(()));
    }

    #[track_caller]
    pub fn inspect(&self, name: &str, format: &str) -> String {
        docker(&["inspect", "-f", format, &self.container(name)])
    }

    /// On the cluster's network.
    #[track_caller]
    pub fn address(&self, name: &str) -> String {
        self.inspect(name, "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}")
    }

    pub fn is_running(&self, name: &str) -> bool {
        try_docker(&["inspect", "-f", "{{.State.Running}}", &self.container(name)]).is_ok_and(|text| text == "true")
    }

    /// Its exit code once it has ended.
    #[track_caller]
    pub fn wait_for_exit(&self, name: &str, deadline: Duration) -> i32 {
        wait_until(&format!("{name} ends"), deadline, || (!self.is_running(name)).then_some(()));
        self.inspect(name, "{{.State.ExitCode}}").parse().unwrap()
    }

    pub fn host_pid(&self, name: &str) -> String {
        self.inspect(name, "{{.State.Pid}}")
    }

    #[track_caller]
    pub fn exec(&self, name: &str, command: &[&str]) -> String {
        docker(&[&["exec", "-u", "50010", &self.container(name)], command].concat())
    }

    pub fn try_exec(&self, name: &str, command: &[&str]) -> Result<String, String> {
        try_docker(&[&["exec", "-u", "50010", &self.container(name)], command].concat())
    }

    /// psql over the node's own socket, as `postgres`, in database `postgres`; rows as lines, columns split by `|`.
    #[track_caller]
    pub fn sql(&self, node: &str, text: &str) -> String {
        self.try_sql(node, text).unwrap_or_else(|stderr| panic!("{node}: {text}: {stderr}"))
    }

    pub fn try_sql(&self, node: &str, text: &str) -> Result<String, String> {
        self.try_sql_in(node, "postgres", text)
    }

    #[track_caller]
    pub fn sql_in(&self, node: &str, database: &str, text: &str) -> String {
        self.try_sql_in(node, database, text).unwrap_or_else(|stderr| panic!("{node}: {text}: {stderr}"))
    }

    pub fn try_sql_in(&self, node: &str, database: &str, text: &str) -> Result<String, String> {
        let psql = ["timeout", "20", "psql", "-XAtq", "-v", "ON_ERROR_STOP=1", "-U", "postgres", "-d", database, "-c", text];
        self.try_exec(node, &psql)
    }

    /// psql through pgpool, as a client would.
    pub fn try_pool_sql(&self, user: &str, password: &str, database: &str, text: &str) -> Result<String, String> {
        let password = format!("PGPASSWORD={password}");
        let psql = ["timeout", "20", "psql", "-XAtq", "-v", "ON_ERROR_STOP=1", "-h", "127.0.0.1", "-p", "9999"];
        let container = self.container(POOL);
        try_docker(&[&["exec", "-e", &password, &container], psql.as_slice(), &["-U", user, "-d", database, "-c", text]].concat())
    }

    #[track_caller]
    pub fn pool_sql(&self, text: &str) -> String {
        self.try_pool_sql("postgres", POSTGRES_PASSWORD, "postgres", text)
            .unwrap_or_else(|stderr| panic!("pgpool: {text}: {stderr}"))
    }

    /// `pg_controldata`'s words for this field, of a node whose server may be down.
    #[track_caller]
    pub fn control(&self, node: &str, field: &str) -> String {
        let text = self.in_volume(node, "pg_controldata -D data");
        let line = text.lines().find(|line| line.starts_with(field)).unwrap_or_else(|| panic!("no {field:?} in {text}"));
        line.split_once(':').unwrap().1.trim().to_string()
    }
}
