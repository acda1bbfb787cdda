//! The command line, types only.

mod reference;

pub use reference::markdown;

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Parser, Subcommand};

#[derive(Debug, Parser)]
#[command(
    name = "pgcluster",
    version,
    about = "Highly available PostgreSQL for Docker Compose and Swarm",
    disable_help_subcommand = true,
    after_help = "\
What is going on:     pgcluster status        (then: pgcluster explain CODE)
What happened:        pgcluster events
What would happen:    pgcluster plan, pgcluster render --diff
Does it work:         pgcluster smoke, pgcluster users, pgcluster doctor
Change something:     pgcluster switchover, promote, pause, resume, reload, stop, rejoin, attach, detach,
                      bootstrap (each shows its plan, and does it with --yes)
Every reading command knows --json. Run them in any container: docker compose exec pg01 pgcluster status"
)]
pub struct Cli {
    #[command(subcommand)]
    pub command: Sub,
}

#[derive(Debug, Subcommand)]
pub enum Sub {
    /// Entrypoint of a database container: make this node what the cluster needs, then become postgres
    #[command(disable_help_flag = true)]
    Postgres {
        /// Arguments for postgres (`-c name=value`), or a command to run instead (`psql …`, `bash`)
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        args: Vec<OsString>,
    },
    /// Entrypoint of a pgpool container: find the primary, write every file, then become pgpool
    #[command(disable_help_flag = true)]
    Pgpool {
        /// Arguments for pgpool, or a command to run instead
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        args: Vec<OsString>,
    },
    #[command(hide = true)]
    AfterFailover {
        #[arg(long)]
        attach: Option<u32>,
        #[arg(long)]
        gone: Option<u32>,
    },
    #[command(hide = true)]
    Tripwire,
    #[command(hide = true)]
    WatchPassword,
    /// Promote a standby if nobody is primary; shows its plan first, and the facts still decide whether that is safe
    #[command(after_help = "\
Exit code: 0 promoted, or somebody is primary; 1 no promotion; 3 the plan was shown and --yes was not said.")]
    Promote {
        /// Prefer this node among those that hold equally much
        #[arg(long)]
        to: Option<String>,
        /// Why; written to the epoch table
        #[arg(long)]
        because: String,
        /// Also with fewer standbys than the guarantee needs: acknowledged commits may be lost. Make sure that the old primary is dead
        #[arg(long)]
        force: bool,
        /// Carry the plan out
        #[arg(long)]
        yes: bool,
        /// No plan and no consent: for repmgrd's promote_command
        #[arg(long, hide = true)]
        unattended: bool,
    },
    /// Hand the primary over to another node: a short pause for writers, nothing lost; shows its plan first
    Switchover {
        /// The new primary; else the standby that holds the most
        #[arg(long)]
        to: Option<String>,
        /// Show the plan only
        #[arg(long)]
        dry_run: bool,
        /// Carry the plan out
        #[arg(long)]
        yes: bool,
    },
    /// Let nobody be promoted automatically until `resume`; `promote` and `switchover` still work
    Pause {
        /// Why; shown by `status`
        #[arg(long)]
        because: String,
        /// Who answers for it; else this container's name
        #[arg(long)]
        owner: Option<String>,
        /// Carry the plan out
        #[arg(long)]
        yes: bool,
    },
    /// End a `pause`
    Resume {
        /// Carry the plan out
        #[arg(long)]
        yes: bool,
    },
    /// Restart a node's server, so that its start decides anew: stream in place, rewind, or copy; says which it will be
    Rejoin {
        /// The node
        name: String,
        /// Carry the plan out
        #[arg(long)]
        yes: bool,
    },
    /// Take over changed files of this container (secrets, certificates, conf.d, hba.d) without a restart; shows its plan first
    #[command(after_help = "\
Reads every file that a NAME_FILE names again, renders all files, and lets the server read them. Variables themselves
only change when the container is made again. Nothing is written if the environment is not valid; what the server
refuses is put back. A new REPMGRPWD is in use when every container of the cluster was reloaded or restarted.")]
    Reload {
        /// Carry the plan out
        #[arg(long)]
        yes: bool,
    },
    /// Let the pgpool of this container use a node again
    Attach {
        /// The node
        name: String,
        /// Also a node that is neither the primary nor streams from it
        #[arg(long)]
        yes: bool,
    },
    /// Take a node out of the pgpool of this container; its health check brings a healthy one back in seconds, unless paused
    Detach {
        /// The node
        name: String,
        /// Carry the plan out
        #[arg(long)]
        yes: bool,
    },
    /// PostgreSQL's archive_command with ARCHIVE_DIR
    ArchiveWal {
        /// `%p`
        path: PathBuf,
    },
    /// PostgreSQL's restore_command with ARCHIVE_DIR; exit 1 if the file is not in the archive
    RestoreWal {
        /// `%f`
        name: String,
        /// `%p`
        path: PathBuf,
    },
    /// HEALTHCHECK of both images: exit 0 while this container serves or prepares to, else 1
    Health,
    /// pgpool's failover_command: promote if, and only if, the facts say so
    Failover {
        /// `%d %h %p %D %m %H %M %P %r %R %N %S` as pgpool fills them in
        #[arg(allow_hyphen_values = true)]
        hints: Vec<String>,
    },
    /// Show every node as it really is; exit 0 healthy, 1 degraded, 2 no writable primary
    #[command(after_help = "\
The nodes' own answers are the truth; what pgpool and repmgr believe stands beside it, and `!` marks what
contradicts it. Below: every problem, with its code and what to do. `pgcluster explain CODE` says more.
States: primary, standby, parked, frozen, waiting, unreachable.
Exit code: 0 healthy, 1 degraded, 2 no writable primary.
In a database container no pgpool is shown: it knows none.")]
    Status {
        /// One line of JSON, the stable schema of docs/commands.md
        #[arg(long)]
        json: bool,
        /// Look again every SECONDS (2) until interrupted
        #[arg(long, value_name = "SECONDS", num_args = 0..=1, default_missing_value = "2")]
        watch: Option<u64>,
    },
    /// Look for every known misconfiguration; exit 1 if a warning or an error was found
    Doctor {
        /// One line: every check with its severity, what was seen, why it matters, how to fix it
        #[arg(long)]
        json: bool,
    },
    /// List the nodes as the environment names them, and what each is now
    Nodes {
        /// One line of JSON
        #[arg(long)]
        json: bool,
    },
    /// Show how far each standby is behind, in bytes and seconds, and what it streams from
    #[command(after_help = "\
Bytes: WAL of the primary that sessions on this node do not see yet. Seconds: by the primary's clock where it
knows, else the age of the last commit that was replayed.")]
    Lag {
        /// One line of JSON
        #[arg(long)]
        json: bool,
    },
    /// Show what happened: repmgr's events and the reigns, oldest first
    #[command(after_help = "\
Rows of repmgr.events, and one row per reign with its reason (`epoch 3`), read from the primary. Times are UTC.")]
    Events {
        /// One line of JSON
        #[arg(long)]
        json: bool,
        /// At most this many, the newest
        #[arg(long, default_value_t = 50)]
        limit: usize,
    },
    /// Say what this container would do if it started now, and why; touches nothing
    #[command(after_help = "\
Database container: the table of a start, asked with this node's data and the other nodes' answers.
pgpool container: which backends pgpool would be told to use; without a primary, whether it would promote.")]
    Plan {
        /// One line of JSON
        #[arg(long)]
        json: bool,
    },
    /// Explain a variable, a state, a code of `status` or `doctor`, or an exit code; without NAME list them
    Explain {
        /// `REPMGRPWD`, `parked`, `no-primary`, `78`, …
        name: Option<String>,
        /// One line of JSON
        #[arg(long)]
        json: bool,
    },
    /// Check every role of MSLIST: it exists, its password is right, pgpool knows it, it logs in through pgpool
    #[command(after_help = "\
Only a pgpool container can tell of pool_passwd and of logins through pgpool.
Exit code: 0 all is right, 1 something is not.")]
    Users {
        /// One line of JSON
        #[arg(long)]
        json: bool,
    },
    /// Write on the primary and read it on every node, directly and through pgpool; leaves nothing behind
    #[command(after_help = "\
Uses table pgcluster.smoke of database repmgr, and drops it. A write that a standby takes is a failure.
Exit code: 0 every step went well, 1 one did not.")]
    Smoke {
        /// One line of JSON
        #[arg(long)]
        json: bool,
    },
    /// Print a completion script: `pgcluster completions bash`
    Completions {
        /// bash, elvish, fish, powershell or zsh
        shell: clap_complete::Shell,
    },
    /// Stop a node's database server (fast shutdown) after showing what follows; its container's restart policy starts it again
    #[command(after_help = "\
Without NAME it stops this container's own server, at once and without a plan: so other nodes order it, as superuser.")]
    Stop {
        /// The node; without it this container's own server, without a question
        name: Option<String>,
        /// Carry the plan out
        #[arg(long, requires = "name")]
        yes: bool,
    },
    /// Validate the environment without touching anything; exit 78 with every violation
    Check {
        /// One line of JSON
        #[arg(long)]
        json: bool,
    },
    /// Print the files that a start would write now; secrets are masked
    #[command(after_help = "\
With --diff, files that hold secrets and pgpool's own status file are not compared.")]
    Render {
        /// Only the file with this path or name
        file: Option<String>,
        /// One line of JSON
        #[arg(long)]
        json: bool,
        /// Only how they differ from the files that are there
        #[arg(long)]
        diff: bool,
    },
    /// Show every variable with its value and where it came from; secrets are masked
    Env {
        /// One line of JSON
        #[arg(long)]
        json: bool,
        /// Print the reference of all variables as Markdown instead (for the README)
        #[arg(long)]
        reference: bool,
    },
    /// Order a waiting empty node to begin a new cluster although others are silent; data elsewhere is given up
    Bootstrap {
        /// Why; written to the epoch table and the event log of the new cluster
        #[arg(long)]
        because: String,
        /// Carry the plan out
        #[arg(long)]
        yes: bool,
    },
}
