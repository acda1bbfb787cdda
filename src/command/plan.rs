//! `pgcluster plan`: what this container would do if it started now, and why. The decisions of a start, over facts of this moment.

use crate::act::bootstrap_order;
use crate::act::signal::StopSignals;
use crate::act::start;
use crate::act::workplace::Workplace;
use crate::command::block_on;
use crate::exit::Exit;
use crate::model::NextStart;
use crate::observe::here::Here;
use crate::observe::tools::Tools;
use crate::plan::next_start::{self, Facts};
use crate::render::text;
use crate::spec::PostgresSpec;

pub fn run(json: bool, stop: StopSignals) -> anyhow::Result<Exit> {
    let here = Here::read()?;
    let next = match &here {
        Here::Postgres(spec) => of_a_node(spec, &stop)?,
        Here::Pgpool(spec) => {
            let (view, _sessions) = block_on(here.ask_states());
            next_start::of_a_pgpool(spec, &view)
        }
    };
    match json {
        true => println!("{}", serde_json::to_string(&next)?),
        false => print!("{}", text::plan::plan(&next)),
    }
    Ok(Exit::Ok)
}

fn of_a_node(spec: &PostgresSpec, stop: &StopSignals) -> anyhow::Result<NextStart> {
    let tools = Tools::find()?;
    let work = Workplace { spec, tools: &tools, stop, sign: None };
    let (own, others) = block_on(start::look(&work, ""))?;
    let (me, order, free) = (start::me(spec), bootstrap_order::read(), start::room_for_wal(&spec.data_dir));
    Ok(next_start::of_a_node(&spec.cluster, &Facts { me: &me, own: &own, others: &others, order: &order, free }))
}
