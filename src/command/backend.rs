//! `pgcluster attach NAME`, `pgcluster detach NAME`: which backends the pgpool of this container uses.

use anyhow::bail;

use crate::act::pcp;
use crate::command::{block_on, operator};
use crate::exit::Exit;
use crate::model::NodeNumber;
use crate::observe::environment::{self, Image};
use crate::spec::PgpoolSpec;

pub fn attach(name: &str) -> anyhow::Result<Exit> {
    let (spec, number) = backend("attach", name)?;
    block_on(pcp::attach(&spec, number))?;
    println!("pgpool {} uses {name}", spec.name);
    Ok(Exit::Ok)
}

pub fn detach(name: &str, consent: operator::Consent) -> anyhow::Result<Exit> {
    let (spec, number) = backend("detach", name)?;
    println!(
        "detach: pgpool {} ends the sessions that use {name} and sends nobody there; its health check takes a healthy node back \
         within seconds, so stop or pause what {name} shall not do",
        spec.name
    );
    if !consent.is_given() {
        println!("{}", consent.words());
        return Ok(consent.exit());
    }
    block_on(pcp::detach(&spec, number))?;
    println!("detached");
    Ok(Exit::Ok)
}

/// pgpool's administration listens inside its container only.
fn backend(command: &str, name: &str) -> anyhow::Result<(PgpoolSpec, NodeNumber)> {
    if environment::image() != Image::Pgpool {
        bail!("this container has no pgpool: docker exec PGPOOL pgcluster {command} {name}");
    }
    let spec = environment::pgpool_spec(&environment::kept_or_own()?)?;
    environment::start_logging(spec.cluster.log);
    let number = operator::node(&spec.cluster, name)?;
    Ok((spec, number))
}
