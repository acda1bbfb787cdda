//! argv → command → exit code: the only place that prints an error or exits.

use std::process::ExitCode;

use clap::Parser;
use pgcluster::act::exec;
use pgcluster::act::signal::StopSignals;
use pgcluster::cli::{Cli, Sub};
use pgcluster::command;
use pgcluster::command::operator::Consent;
use pgcluster::exit::Exit;
use pgcluster::model::foreign;

fn main() -> ExitCode {
    exec::write_no_core_files();
    let cli = Cli::parse();
    match run(cli.command) {
        Ok(exit) => exit.into(),
        Err(error) => {
            let exit = command::exit_of(&error);
            if !matches!(exit, Exit::Stopped(_)) {
                // A server may have worded a part of it.
                eprintln!("pgcluster: {}", foreign::lines(&format!("{error:#}")));
            }
            exit.into()
        }
    }
}

fn run(sub: Sub) -> anyhow::Result<Exit> {
    match sub {
        // Before anything else, and before any thread: a signal must never be lost.
        Sub::Postgres { args } => command::postgres::run(args, StopSignals::block()?),
        Sub::Pgpool { args } => command::pgpool::run(args, StopSignals::block()?),
        Sub::Failover { hints } => command::failover::run(&hints),
        Sub::AfterFailover { attach, gone } => command::after_failover::run(attach, gone),
        Sub::WatchPassword => command::watch_password::run(),
        Sub::Tripwire => command::tripwire::run(),
        Sub::Promote { to, because, force, yes, unattended } => {
            let consent = if unattended { Consent::Unattended } else { Consent::of(yes, false) };
            command::promote::run(to, &because, force, consent)
        }
        Sub::Switchover { to, dry_run, yes } => command::switchover::run(to, Consent::of(yes, dry_run)),
        Sub::Pause { because, owner, yes } => command::pause::pause(owner, &because, Consent::of(yes, false)),
        Sub::Resume { yes } => command::pause::resume(Consent::of(yes, false)),
        Sub::Reload { yes } => command::reload::run(Consent::of(yes, false), StopSignals::block()?),
        Sub::Rejoin { name, yes } => command::rejoin::run(&name, Consent::of(yes, false)),
        Sub::Attach { name, yes } => command::backend::attach(&name, Consent::of(yes, false)),
        Sub::Detach { name, yes } => command::backend::detach(&name, Consent::of(yes, false)),
        Sub::ArchiveWal { path } => command::wal::archive(&path),
        Sub::RestoreWal { name, path } => command::wal::restore(&name, &path),
        Sub::Health => command::health::run(),
        Sub::Status { json, watch } => command::status::run(json, watch),
        Sub::Doctor { json } => command::doctor::run(json),
        Sub::Stop { name, yes } => command::stop::run(name.as_deref(), Consent::of(yes, false)),
        Sub::Check { json } => command::check::run(json),
        Sub::Render { file, json, diff } => command::render::run(file.as_deref(), json, diff),
        Sub::Nodes { json } => command::nodes::nodes(json),
        Sub::Lag { json } => command::nodes::lag(json),
        Sub::Events { json, limit } => command::events::run(json, limit),
        Sub::Plan { json } => command::plan::run(json, StopSignals::block()?),
        Sub::Explain { name, json } => command::explain::run(name.as_deref(), json),
        Sub::Users { json } => command::users::run(json),
        Sub::Smoke { json } => command::smoke::run(json),
        Sub::Completions { shell } => command::completions::run(shell),
        Sub::Env { json, reference } => command::env::run(json, reference),
        Sub::Bootstrap { because, yes } => command::bootstrap::run(&because, Consent::of(yes, false)),
    }
}
