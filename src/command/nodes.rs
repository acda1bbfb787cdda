//! `pgcluster nodes` and `pgcluster lag`: two narrower views of the same report.

use serde_json::json;

use crate::command::block_on;
use crate::command::status::{paint, take};
use crate::exit::Exit;
use crate::observe::here::Here;
use crate::render::text;

/// Who is in the cluster. Exit 0 whatever they are.
pub fn nodes(json: bool) -> anyhow::Result<Exit> {
    let here = Here::read()?;
    let report = block_on(take(&here));
    if !json {
        print!("{}", text::nodes::nodes(here.cluster(), &report, paint()));
        return Ok(Exit::Ok);
    }
    let rows = here.cluster().nodes.iter().zip(&report.nodes).map(|(node, seen)| {
        json!({
            "number": node.number, "node_id": node.id(), "name": node.name, "host": node.host, "port": node.port,
            "weight": node.weight, "data_dir": node.data_dir, "may_be_promoted": text::nodes::may_be_promoted(node), "state": seen.state,
        })
    });
    println!("{}", json!({ "nodes": rows.collect::<Vec<_>>() }));
    Ok(Exit::Ok)
}

/// How far behind each standby is. Exit 0 whatever it is.
pub fn lag(json: bool) -> anyhow::Result<Exit> {
    let here = Here::read()?;
    let report = block_on(take(&here));
    if !json {
        print!("{}", text::nodes::lag(&report, paint()));
        return Ok(Exit::Ok);
    }
    let rows = report.nodes.iter().map(|node| {
        json!({
            "name": node.name, "state": node.state, "lsn": node.lsn, "lag_bytes": node.lag_bytes, "lag_seconds": node.lag_seconds,
            "sync_state": node.sync_state, "upstream": node.upstream, "streaming": node.streaming,
        })
    });
    println!("{}", json!({ "nodes": rows.collect::<Vec<_>>() }));
    Ok(Exit::Ok)
}
