//! What every step of a start needs at hand.

use std::path::{Path, PathBuf};

use crate::act::signal::StopSignals;
use crate::act::waiting_room::Sign;
use crate::link::Address;
use crate::model::RoomState;
use crate::observe::peer::control_address;
use crate::observe::tools::Tools;
use crate::spec::{Node, PostgresSpec};

/// Directory of secrets and of what health checks remember; a tmpfs.
pub const RUN_DIR: &str = "/run/pgcluster";

#[derive(Clone, Copy)]
pub struct Workplace<'a> {
    pub spec: &'a PostgresSpec,
    pub tools: &'a Tools,
    pub stop: &'a StopSignals,
    /// What port 5432 answers meanwhile; none while nobody needs to know.
    pub sign: Option<&'a Sign>,
}

impl Workplace<'_> {
    pub fn say(&self, state: RoomState) {
        if let Some(sign) = self.sign {
            sign.set(&state);
        }
    }

    pub fn data_dir(&self) -> &Path {
        &self.spec.data_dir
    }

    /// The control channel to another node's server.
    pub fn control(&self, node: &Node) -> Address {
        control_address(&self.spec.cluster, node)
    }

    /// Pass file with `repmgr`'s password, for libpq programs.
    pub fn pass_file(&self) -> PathBuf {
        Path::new(RUN_DIR).join("pgpass")
    }
}
