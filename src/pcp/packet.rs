//! PURE. The packets of PCP, pgpool's administration protocol (`src/libs/pcp/pcp.c`, `src/pcp_con/pcp_worker.c` of pgpool 4.6).
//!
//! One byte kind, four bytes length (big-endian, itself included), then NUL-terminated strings.

use anyhow::{Context, ensure};
use md5::{Digest, Md5};

use crate::model::{Backend, BackendStatus, NodeNumber, Role};

/// pgpool's weights add up to `RAND_MAX` of its libc.
const WEIGHT_SCALE: f64 = 2_147_483_647.0;
/// The answer to everything that is done.
pub const DONE: &str = "CommandComplete";

/// What we ask, and the kind of the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Request {
    Salt,
    NodeCount,
    NodeInfo(NodeNumber),
    Attach(NodeNumber),
    Detach(NodeNumber),
    /// `pcp_promote_node` without `--switchover`: this backend is the primary. Nothing is promoted, no command runs.
    MakePrimary(NodeNumber),
    Goodbye,
}

impl Request {
    /// The packet as it goes over the wire.
    pub fn encode(self) -> Vec<u8> {
        match self {
            Request::Salt => packet(b'M', b""),
            Request::NodeCount => packet(b'L', b""),
            Request::NodeInfo(number) => packet(b'I', format!("{number}\0").as_bytes()),
            Request::Attach(number) => packet(b'C', format!("{number}\0").as_bytes()),
            Request::Detach(number) => packet(b'D', format!("{number}\0").as_bytes()),
            // The server skips a blank and a NUL before the option; `n`: only pgpool's opinion changes.
            Request::MakePrimary(number) => packet(b'J', format!("{number} \0n").as_bytes()),
            Request::Goodbye => packet(b'X', b""),
        }
    }

    /// Kind of the packets that answer; pgpool answers a promotion as if it were a detach.
    pub fn answer(self) -> u8 {
        match self {
            Request::Salt => b'm',
            Request::NodeCount => b'l',
            Request::NodeInfo(_) => b'i',
            Request::Attach(_) => b'c',
            Request::Detach(_) | Request::MakePrimary(_) => b'd',
            Request::Goodbye => b'X',
        }
    }
}

/// Packet `R`: the name, and md5(md5(md5(password) + name) + salt), all in lower-case hex.
pub fn login(user: &str, password: &str, salt: &[u8]) -> Vec<u8> {
    let stored = hex(&[password.as_bytes()]);
    let named = hex(&[stored.as_bytes(), user.as_bytes()]);
    let answer = hex(&[named.as_bytes(), salt]);
    packet(b'R', format!("{user}\0{answer}\0").as_bytes())
}

fn hex(parts: &[&[u8]]) -> String {
    Md5::digest(parts.concat()).iter().map(|byte| format!("{byte:02x}")).collect()
}

fn packet(kind: u8, body: &[u8]) -> Vec<u8> {
    let length = (body.len() + 4) as u32;
    [&[kind][..], &length.to_be_bytes(), body].concat()
}

/// The strings of an answer.
pub fn fields(body: &[u8]) -> Vec<String> {
    let text = body.strip_suffix(b"\0").unwrap_or(body);
    text.split(|byte| *byte == 0).map(|field| String::from_utf8_lossy(field).into_owned()).collect()
}

/// The message and the detail of an error packet `E`: one letter each, then the text.
pub fn error_text(body: &[u8]) -> String {
    let fields = fields(body);
    let part = |letter: char| {
        fields.iter().find_map(|field| field.strip_prefix(letter)).map(str::trim_end).filter(|text| !text.is_empty())
    };
    match (part('M'), part('D')) {
        (Some(message), Some(detail)) => format!("{message} ({detail})"),
        (Some(message), None) => message.to_owned(),
        (None, _) => "an error without a message".into(),
    }
}

/// Packet `i` with a backend: `NodeInfo`, host, port, status, quarantine, what a ping says, weight, role, … (the same since 4.3).
pub fn backend(fields: &[String]) -> anyhow::Result<Backend> {
    let number = |index: usize, what: &str| -> anyhow::Result<u32> {
        let text = fields.get(index).map_or("", String::as_str);
        text.parse().with_context(|| format!("read the {what} in pgpool's node info: {text:?} is no number"))
    };
    ensure!(
        fields.first().is_some_and(|word| word == "NodeInfo"),
        "read pgpool's node info: it begins with {:?}",
        fields.first()
    );
    let status = number(3, "status")?;
    let weight: f64 = fields.get(6).and_then(|text| text.parse().ok()).unwrap_or(0.0);
    Ok(Backend {
        status: BackendStatus::from_code(status).with_context(|| format!("read pgpool's node info: unknown status {status}"))?,
        quarantined: number(4, "quarantine")? != 0,
        // ROLE_PRIMARY of SERVER_ROLE; pgpool has no other word for the rest than standby.
        role: if number(7, "role")? == 2 { Role::Primary } else { Role::Standby },
        weight: weight / WEIGHT_SCALE,
    })
}

#[cfg(test)]
mod tests;
