//! `pgcluster stop`: ends this container's own server. Others order it through `COPY … TO PROGRAM`, as superuser.

use anyhow::bail;

use crate::act::heal::stop_server;
use crate::exit::Exit;
use crate::observe::environment::{self, Image};

pub fn run() -> anyhow::Result<Exit> {
    match environment::image() {
        Image::Postgres => stop_server(&environment::postgres_spec(&environment::kept_or_own()?)?.data_dir)?,
        Image::Pgpool => bail!("there is no database server in this container"),
    }
    Ok(Exit::Ok)
}
