//! What is done to a primary, and how it is made good.

use std::fs::read_to_string;

use anyhow::Context;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::cluster::{Cluster, node_name};
use crate::docker::{docker_output_within, try_docker};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// `docker kill`: SIGKILL to all of the container, which stays down until somebody starts it.
    Kill,
    /// SIGKILL of the postmaster alone, from this host: Docker's restart policy acts.
    Crash,
    /// `docker stop`.
    Stop,
    /// `docker pause`: the freezer.
    Pause,
    /// `docker network disconnect`.
    Cut,
    /// `pgcluster switchover`.
    Switchover,
}

impl Fault {
    pub const ALL: [Fault; 6] = [Fault::Kill, Fault::Crash, Fault::Stop, Fault::Pause, Fault::Cut, Fault::Switchover];

    /// In a table, and to choose it.
    pub fn name(self) -> &'static str {
        match self {
            Fault::Kill => "kill",
            Fault::Crash => "crash",
            Fault::Stop => "stop",
            Fault::Pause => "pause",
            Fault::Cut => "cut",
            Fault::Switchover => "switchover",
        }
    }

    /// Longest write gap, ms: synchronous, asynchronous.
    pub fn gap_bar(self) -> (f64, f64) {
        match self {
            Fault::Kill | Fault::Crash => (500.0, 400.0),
            Fault::Stop => (600.0, 600.0),
            Fault::Pause | Fault::Cut => (8000.0, 8000.0),
            Fault::Switchover => (800.0, 800.0),
        }
    }

    /// Until the old primary streams once its container runs, ms.
    pub fn return_bar(self) -> f64 {
        match self {
            Fault::Kill | Fault::Crash | Fault::Stop | Fault::Pause | Fault::Cut => 5000.0,
            Fault::Switchover => 15_000.0,
        }
    }

    /// The container comes back without us.
    pub fn mends_itself(self) -> bool {
        matches!(self, Fault::Crash | Fault::Switchover)
    }

    pub fn inflict(self, cluster: &Cluster, node: usize) -> anyhow::Result<()> {
        let container = cluster.container(node);
        match self {
            Fault::Kill => run(&["kill", &container]),
            Fault::Crash => kill_postmaster(&container),
            Fault::Stop => run(&["stop", &container]),
            Fault::Pause => run(&["pause", &container]),
            Fault::Cut => run(&["network", "disconnect", &cluster.scope.name, &container]),
            // Not in the container that stops.
            Fault::Switchover => run(&["exec", &cluster.container(node % 3 + 1), "pgcluster", "switchover", "--yes"]),
        }
    }

    pub fn mend(self, cluster: &Cluster, node: usize) -> anyhow::Result<()> {
        let container = cluster.container(node);
        match self {
            Fault::Kill | Fault::Stop => run(&["start", &container]),
            Fault::Pause => run(&["unpause", &container]),
            Fault::Cut => run(&["network", "connect", "--alias", &node_name(node), &cluster.scope.name, &container]),
            Fault::Crash | Fault::Switchover => Ok(()),
        }
    }
}

pub fn run(args: &[&str]) -> anyhow::Result<()> {
    // Filling a database takes its time.
    let output = docker_output_within(crate::inside::DEADLINE, args);
    anyhow::ensure!(output.status.success(), "docker {}: {}", args.join(" "), String::from_utf8_lossy(&output.stderr).trim());
    Ok(())
}

/// The only child of docker's init.
fn kill_postmaster(container: &str) -> anyhow::Result<()> {
    let init = try_docker(&["inspect", "--format", "{{.State.Pid}}", container]).map_err(anyhow::Error::msg)?;
    let children = read_to_string(format!("/proc/{init}/task/{init}/children")).context("read the children of docker's init")?;
    let postmaster = children.split_whitespace().next().context("docker's init has a child")?;
    kill(Pid::from_raw(postmaster.parse()?), Signal::SIGKILL).context("kill the postmaster")
}
