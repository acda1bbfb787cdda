//! `pgcluster completions SHELL`: a script for the operator's shell, made from the command line itself.

use clap::CommandFactory;
use clap_complete::Shell;

use crate::cli::Cli;
use crate::exit::Exit;

pub fn run(shell: Shell) -> anyhow::Result<Exit> {
    clap_complete::generate(shell, &mut Cli::command(), "pgcluster", &mut std::io::stdout());
    Ok(Exit::Ok)
}
