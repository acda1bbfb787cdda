//! One container: how it is started, and questions to it. It gets what compose.yaml gives it and no more: no capability, no new
//! privileges, a read-only root file system, tmpfs where files are generated.

use std::process::Output;
use std::time::Duration;

use super::{Scope, docker, docker_output, image, logs, try_docker, wait_until};

/// For a first start on a machine that has other things to do.
pub const START: Duration = Duration::from_secs(60);

/// What compose.yaml says of this kind of container; `tests/supply/` compares the two.
pub fn confinement(kind: &str) -> Vec<String> {
    let own: &[&str] = match kind {
        "pgpool" => &["/run/pgpool:mode=0775", "/etc/pgpool-II:mode=0755"],
        _ => &["/etc/repmgr/17:mode=0755"],
    };
    let all = ["/run/pgcluster:mode=0700", "/run/postgresql:mode=0775", "/etc/pgcluster:mode=0755"];
    let mut options: Vec<String> =
        ["--read-only", "--cap-drop=ALL", "--security-opt=no-new-privileges:true", "--tmpfs=/tmp:mode=1777"]
            .map(String::from)
            .into();
    options.extend(all.iter().chain(own).map(|mount| format!("--tmpfs={mount},uid=50010,gid=50010")));
    options
}

/// `docker run`, being put together.
pub struct Run {
    options: Vec<String>,
    /// What is taken from it, and its tmpfs mounts.
    confinement: Vec<String>,
    image: String,
    args: Vec<String>,
    name: String,
}

impl Run {
    /// `name` is unique within the scope.
    pub fn new(scope: &Scope, name: &str, kind: &str) -> Run {
        let name = format!("{}-{name}", scope.name);
        Run {
            options: vec!["--label".into(), scope.label(), "--name".into(), name.clone()],
            confinement: confinement(kind),
            image: image(kind),
            args: vec![],
            name,
        }
    }

    pub fn option(mut self, option: &str, value: impl Into<String>) -> Run {
        self.options.extend([option.to_string(), value.into()]);
        self
    }

    /// With the engine's usual rights, for what begins as root.
    pub fn unconfined(mut self) -> Run {
        self.confinement.clear();
        self
    }

    pub fn flag(mut self, flag: &str) -> Run {
        self.options.push(flag.into());
        self
    }

    /// A second value for a name replaces the first.
    pub fn env(mut self, name: &str, value: &str) -> Run {
        let start = format!("{name}=");
        match self.options.iter_mut().find(|option| option.starts_with(&start)) {
            Some(option) => *option = start + value,
            None => self.options.extend(["-e".to_string(), start + value]),
        }
        self
    }

    pub fn volume(self, value: impl Into<String>) -> Run {
        self.option("-v", value)
    }

    /// Arguments after the image.
    pub fn args(mut self, args: &[&str]) -> Run {
        self.args.extend(args.iter().map(ToString::to_string));
        self
    }

    /// Whether this tmpfs mount has to give way to a volume at the same place.
    fn is_mounted(&self, option: &str) -> bool {
        let place = option.strip_prefix("--tmpfs=").and_then(|mount| mount.split(':').next());
        place.is_some_and(|place| self.options.iter().any(|volume| volume.split(':').nth(1) == Some(place)))
    }

    fn line<'a>(&'a self, start: &[&'a str]) -> Vec<&'a str> {
        let mut line: Vec<&str> = [&["run"], start].concat();
        line.extend(self.confinement.iter().filter(|option| !self.is_mounted(option)).map(String::as_str));
        line.extend(self.options.iter().chain([&self.image]).chain(&self.args).map(String::as_str));
        line
    }

    /// In the background.
    #[track_caller]
    pub fn start(self) -> Container {
        docker(&self.line(&["-d"]));
        Container { name: self.name }
    }

    /// In the foreground, to its end; then the container is gone.
    pub fn output(self) -> Output {
        docker_output(&self.line(&["--rm"]))
    }

    /// To its end, which is a refusal: exit code and everything that was said.
    #[track_caller]
    pub fn refusal(self) -> Refusal {
        let container = self.start();
        let code = container.wait_for_exit();
        let said = logs(&container.name);
        assert_ne!(code, 0, "{} ended well and should not have:\n{said}", container.name);
        container.remove();
        Refusal { code, said }
    }
}

pub struct Refusal {
    pub code: i32,
    pub said: String,
}

impl Refusal {
    /// All of `words` are in the message.
    #[track_caller]
    pub fn says(&self, words: &[&str]) {
        for word in words {
            assert!(self.said.contains(word), "no {word:?} in:\n{}", self.said);
        }
    }
}

pub struct Container {
    pub name: String,
}

impl Container {
    /// Runs a command inside and returns its stdout; stderr if it fails.
    pub fn try_exec(&self, args: &[&str]) -> Result<String, String> {
        try_docker(&[&["exec", &self.name], args].concat())
    }

    #[track_caller]
    pub fn exec(&self, args: &[&str]) -> String {
        self.try_exec(args).unwrap_or_else(|error| panic!("{} {}: {error}", self.name, args.join(" ")))
    }

    /// SQL over the container's own socket, as a person with `docker exec` would: rows, fields separated by `|`.
    #[track_caller]
    pub fn sql(&self, database: &str, statement: &str) -> String {
        self.exec(&["psql", "-XAtq", "-v", "ON_ERROR_STOP=1", "-d", database, "-c", statement])
    }

    /// Waits until the server answers on TCP; says what the container said if it does not.
    #[track_caller]
    pub fn wait_ready(&self) -> &Container {
        wait_until(&format!("{} to accept connections", self.name), START, || {
            assert!(self.is_running(), "{} ended:\n{}", self.name, logs(&self.name));
            self.try_exec(&["pg_isready", "-q", "-h", "127.0.0.1"]).ok()
        });
        self
    }

    #[track_caller]
    pub fn wait_healthy(&self) {
        wait_until(&format!("{} to be healthy", self.name), START, || {
            let health = docker(&["inspect", "-f", "{{.State.Health.Status}}", &self.name]);
            (health == "healthy").then_some(())
        });
    }

    #[track_caller]
    pub fn wait_for_exit(&self) -> i32 {
        wait_until(&format!("{} to end", self.name), START, || {
            (!self.is_running())
                .then(|| docker(&["inspect", "-f", "{{.State.ExitCode}}", &self.name]).parse().expect("an exit code"))
        })
    }

    pub fn is_running(&self) -> bool {
        docker(&["inspect", "-f", "{{.State.Running}}", &self.name]) == "true"
    }

    /// Stops with docker's own patience and starts again.
    pub fn restart(&self) -> &Container {
        docker(&["restart", &self.name]);
        self.wait_ready()
    }

    pub fn remove(&self) {
        docker(&["rm", "-fv", &self.name]);
    }

    pub fn logs(&self) -> String {
        logs(&self.name)
    }
}

impl Scope {
    pub fn volume(&self, name: &str) -> String {
        docker(&["volume", "create", "--label", &self.label(), &format!("{}-{name}", self.name)])
    }

    pub fn network(&self) -> String {
        docker(&["network", "create", "--label", &self.label(), &self.name]);
        self.name.clone()
    }
}
