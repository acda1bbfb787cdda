//! The parts: each is our process in one situation.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use pgcluster::act::command::Command;
use pgcluster::act::exec::{exec, scrubbed_environment};
use pgcluster::act::lock::VolumeLock;
use pgcluster::act::signal::{StopSignals, restore_for_user_command};
use pgcluster::act::user::{Directories, become_postgres};

pub fn part(name: &str, args: &[String]) {
    let stop = StopSignals::block().unwrap();
    match name {
        "exec" => panic!("{:#}", exec(Path::new(&args[0]), &words(&args[1..]), scrubbed_environment(std::env::vars_os()), &stop)),
        "signal-then-exec" => signal_then_exec(&stop, &args[0]),
        "signal-then-postgres" => {
            kill(Pid::this(), Signal::SIGINT).unwrap();
            panic!("{:#}", exec(Path::new(&args[0]), &words(&args[1..]), scrubbed_environment(std::env::vars_os()), &stop));
        }
        "unblock" => unblock(),
        "exec-with-zombie" => exec_with_child(&stop, "true"),
        "exec-with-child" => exec_with_child(&stop, "sleep"),
        "two-waiters" => async_main(two_waiters(&stop)),
        "run" => async_main(run(&stop, args)),
        "lock-then-exec" => async_main(lock_then_exec(&stop, Path::new(&args[0]), &args[1..])),
        "become" => println!("{}", become_postgres_with(args)),
        "fault-point" => pgcluster::act::fault_point::fault_point("after-rename"),
        "crowded-room" => async_main(crowded_room()),
        "user-command" => user_command(),
        other => panic!("no such part: {other}"),
    }
}

pub fn async_main(future: impl Future<Output = ()>) {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future);
}

fn words(args: &[String]) -> Vec<OsString> {
    args.iter().map(OsString::from).collect()
}

fn me() -> PathBuf {
    std::env::current_exe().unwrap()
}

/// `how`: "before" the signal is only pending; "read" we have already taken it, and exec hands it on.
fn signal_then_exec(stop: &StopSignals, how: &str) {
    kill(Pid::this(), Signal::SIGINT).unwrap();
    if how == "read" {
        assert_eq!(stop.look(), Some(Signal::SIGINT));
    }
    panic!("{:#}", exec(&me(), &["--play", "unblock"].map(OsString::from), Vec::new(), stop));
}

/// What postgres does once its handlers stand; as PID 1 a handler is needed, default actions do not exist there.
fn unblock() {
    use nix::sys::signalfd::SignalFd;
    let mut set = nix::sys::signal::SigSet::empty();
    set.add(Signal::SIGINT);
    // part() has blocked the signals again, which changes nothing: they were.
    let fd = SignalFd::with_flags(&set, nix::sys::signalfd::SfdFlags::SFD_NONBLOCK).unwrap();
    let name = fd.read_signal().unwrap().map(|info| Signal::try_from(info.ssi_signo.cast_signed()).unwrap());
    println!("pid {} got {name:?}", std::process::id().min(2));
}

#[allow(clippy::zombie_processes)]
fn exec_with_child(stop: &StopSignals, program: &str) {
    let child = std::process::Command::new(program).arg("20").spawn().unwrap();
    let err = exec(Path::new("cat"), &["/proc/thread-self/children".into()], scrubbed_environment(std::env::vars_os()), stop);
    kill(Pid::from_raw(child.id().cast_signed()), Signal::SIGKILL).unwrap();
    println!("{err:#}");
}

async fn two_waiters(stop: &StopSignals) {
    let other = tokio::spawn({
        let stop = stop.clone();
        async move { stop.stopped().await }
    });
    tokio::task::yield_now().await;
    println!("ready");
    println!("{} {}", stop.stopped().await, other.await.unwrap());
}

/// Runs `args` as a command, with a deadline of five seconds, and says how it ended and whether a child of ours is left.
async fn run(stop: &StopSignals, args: &[String]) {
    println!("ready");
    let result = Command::new(&args[0]).args(&args[1..]).timeout(Duration::from_secs(5)).run(stop).await;
    let left = nix::sys::wait::waitpid(None, Some(nix::sys::wait::WaitPidFlag::WNOHANG));
    println!("{} / {left:?}", result.map_or_else(|err| err.to_string(), |out| out.stdout.join("|")));
}

async fn lock_then_exec(stop: &StopSignals, volume: &Path, program: &[String]) {
    let lock = VolumeLock::take(volume, Duration::from_secs(1), |text| println!("{text}")).await;
    match lock {
        Err(err) => println!("{err}"),
        Ok(lock) => {
            lock.keep_through_exec().unwrap();
            panic!("{:#}", exec(Path::new(&program[0]), &words(&program[1..]), scrubbed_environment(std::env::vars_os()), stop));
        }
    }
}

fn become_postgres_with(args: &[String]) -> String {
    let (config, data) = ([PathBuf::from(&args[0])], [PathBuf::from(&args[1])]);
    let result = become_postgres(Directories { config: &config, data: &data });
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let lines =
        status.lines().filter(|line| ["Uid:", "Gid:", "Groups:", "NoNewPrivs:"].iter().any(|name| line.starts_with(name)));
    format!(
        "{}\n{}",
        result.map_or_else(|err| format!("{err:#}"), |home| home.display().to_string()),
        lines.collect::<Vec<_>>().join("\n")
    )
}

fn user_command() {
    restore_for_user_command().unwrap();
    print!("{}", std::fs::read_to_string("/proc/self/status").unwrap());
}

/// A waiting room with no descriptor left for a guest during its first second.
async fn crowded_room() {
    use nix::sys::resource::{Resource, UsageWho, getrlimit, getrusage, setrlimit};
    use nix::sys::time::TimeValLike;
    let room = pgcluster::act::waiting_room::WaitingRoom::open("pg02", 0, pgcluster::act::tls::acceptor(None, "pg02").unwrap())
        .await
        .unwrap();
    let (soft, hard) = getrlimit(Resource::RLIMIT_NOFILE).unwrap();
    // Any new descriptor has a higher number; those that are open stay.
    setrlimit(Resource::RLIMIT_NOFILE, 3, hard).unwrap();
    println!("{}", room.port());
    tokio::time::sleep(Duration::from_secs(1)).await;
    setrlimit(Resource::RLIMIT_NOFILE, soft, hard).unwrap();
    let used = getrusage(UsageWho::RUSAGE_SELF).unwrap();
    println!("{}", used.user_time().num_milliseconds() + used.system_time().num_milliseconds());
    tokio::time::sleep(Duration::from_millis(500)).await;
}
