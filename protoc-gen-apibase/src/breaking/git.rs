//! Files of a revision, as git has them: nothing is checked out, and nothing is written.

use std::cell::RefCell;
use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::rc::Rc;

use crate::builder::resolve::{Opened, Shelf};
use crate::error::{Diagnostic, Error};

/// A commit of the repository that the process runs in.
pub(super) struct Revision {
    /// The repository's folder, without links.
    top: PathBuf,
    commit: String,
    objects: RefCell<Objects>,
}

/// What becomes of looking for a revision.
pub(super) enum Found {
    Revision(Rc<Revision>),
    /// Why there is none.
    Nothing(Reason),
}

/// Why there is no such revision.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Reason {
    NoGit,
    /// As git says it: the repository may be there and belong to somebody else.
    NoRepository(String),
    Unknown,
}

/// A folder of a [`Revision`].
pub(super) struct Folder {
    revision: Rc<Revision>,
    /// From the repository's folder, with a slash at its end; empty for that folder.
    prefix: String,
}

impl Revision {
    /// Looks `name` up. It must not start with a hyphen, so that it is no option of git.
    pub(super) fn find(name: &str) -> Result<Found, Error> {
        let mut up = git();
        let up = match up.args(["rev-parse", "--show-cdup"]).output() {
            Ok(output) if output.status.success() => output.stdout,
            Ok(output) => {
                let said = Reason::NoRepository(line(&output.stderr));
                return Ok(Found::Nothing(said));
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Ok(Found::Nothing(Reason::NoGit));
            }
            Err(error) => return Err(Error::io("running git", error)),
        };
        let name = format!("{name}^{{commit}}");
        let mut commit = git();
        commit.args(["rev-parse", "--verify", "--quiet", &name]);
        let commit = commit.output();
        let commit = commit.map_err(|error| Error::io("running git", error))?;
        if !commit.status.success() {
            return Ok(Found::Nothing(Reason::Unknown));
        }
        let up = Path::new(".").join(line(&up));
        let top = up.canonicalize();
        Ok(Found::Revision(Rc::new(Self {
            top: top.map_err(|error| Error::io("looking for the repository", error))?,
            commit: line(&commit.stdout),
            objects: RefCell::new(Objects::start()?),
        })))
    }

    /// What the revision has of a folder that is there now; none where that isn't in the repository.
    pub(super) fn folder(self: &Rc<Self>, now: &Path) -> Option<Folder> {
        let now = now.canonicalize().ok()?;
        let parts = now.strip_prefix(&self.top).ok()?;
        let mut prefix = String::new();
        for part in parts {
            prefix.push_str(part.to_str()?);
            prefix.push('/');
        }
        let revision = Rc::clone(self);
        Some(Folder { revision, prefix })
    }

    fn read(&self, path: &str) -> io::Result<Option<Object>> {
        let name = format!("{}:{path}", self.commit);
        self.objects.borrow_mut().read(&name)
    }
}

impl Folder {
    /// The names of all protos in it.
    pub(super) fn protos(&self) -> Result<Vec<String>, Error> {
        let doing = || "reading the files of the revision";
        let folder = self.prefix.trim_end_matches('/');
        let object = self.revision.read(folder);
        let object = object.map_err(|error| Error::io(doing(), error))?;
        if object.is_none_or(|object| object.kind != "tree") {
            return Ok(Vec::new());
        }
        let tree = format!("{}:{folder}", self.revision.commit);
        let mut list = git();
        list.args(["ls-tree", "-r", "-z", "--name-only", "--full-tree", &tree]);
        let list = list.output().map_err(|error| Error::io(doing(), error))?;
        if !list.status.success() {
            let message = String::from_utf8_lossy(&list.stderr).trim().to_owned();
            return Err(Error::input(format!("{}: {message}", doing())));
        }
        // What is no text can't be imported.
        let names = list.stdout.split(|byte| *byte == 0);
        Ok(names
            .filter_map(|name| std::str::from_utf8(name).ok())
            .filter(|name| name.ends_with(".proto"))
            .map(str::to_owned)
            .collect())
    }
}

impl Shelf for Folder {
    fn open(&self, name: &str) -> Option<Opened> {
        // Git would take `..` from where the process runs, and a line has one name.
        let is_plain = |part: &str| !matches!(part, "" | "." | "..");
        if !name.split('/').all(is_plain) || name.contains(['\n', '\r']) {
            return None;
        }
        match self.revision.read(&format!("{}{name}", self.prefix)) {
            Ok(Some(object)) if object.kind == "blob" => {
                Some(Opened::of_bytes(name, Ok(object.bytes)))
            }
            Ok(_) => None,
            Err(error) => Some(Opened::of_bytes(name, Err(error))),
        }
    }
}

/// A git that never asks anything: it would wait for an answer where nobody is.
fn git() -> Command {
    let mut command = Command::new("git");
    command.env("GIT_TERMINAL_PROMPT", "0").stdin(Stdio::null());
    command
}

fn line(output: &[u8]) -> String {
    String::from_utf8_lossy(output).trim_end().to_owned()
}

/// `git cat-file --batch`: one process that gives all objects.
struct Objects {
    child: Child,
    requests: ChildStdin,
    answers: BufReader<ChildStdout>,
}

struct Object {
    /// `blob` or `tree`.
    kind: String,
    bytes: Vec<u8>,
}

impl Objects {
    fn start() -> Result<Self, Error> {
        let mut child = git()
            .args(["cat-file", "--batch", "--follow-symlinks"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|error| Error::io("running git", error))?;
        match (child.stdin.take(), child.stdout.take()) {
            (Some(requests), Some(answers)) => Ok(Self {
                child,
                requests,
                answers: BufReader::new(answers),
            }),
            _ => Err(Error::input("git can't be talked to")),
        }
    }

    /// An object by its name; none when there is no such object.
    fn read(&mut self, name: &str) -> io::Result<Option<Object>> {
        writeln!(self.requests, "{name}")?;
        self.requests.flush()?;
        let mut head = String::new();
        self.answers.read_line(&mut head)?;
        let head = head.strip_suffix('\n').ok_or_else(|| {
            io::Error::new(io::ErrorKind::UnexpectedEof, "git has stopped answering")
        })?;
        if head.ends_with(" missing") {
            return Ok(None);
        }
        // `<id> blob <size>`; of a link that leads nowhere or out of the tree, `dangling <size>`.
        let words: Vec<&str> = head.split(' ').collect();
        let (kind, size) = match words.as_slice() {
            [_, kind, size] => (Some(*kind), *size),
            [_, size] => (None, *size),
            _ => return Err(garbled(head)),
        };
        let size: u64 = size.parse().map_err(|_| garbled(head))?;
        let mut bytes = Vec::new();
        (&mut self.answers).take(size).read_to_end(&mut bytes)?;
        self.answers.read_exact(&mut [0])?;
        Ok(kind.map(|kind| Object {
            kind: kind.to_owned(),
            bytes,
        }))
    }
}

impl Drop for Objects {
    fn drop(&mut self) {
        // It only reads, so that nothing is lost. Whether it has gone already doesn't matter.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn garbled(head: &str) -> io::Error {
    io::Error::new(
        io::ErrorKind::InvalidData,
        format!("git answers {head:?}, which is not understood"),
    )
}

impl Reason {
    /// Why `name` is no revision, and what to do.
    pub(super) fn explain(self, name: &str, what: &str) -> Error {
        let (why, help) = match self {
            Self::NoGit => (
                "git can't be run",
                "install git, or compare with a folder of protos or a descriptor set",
            ),
            Self::NoRepository(_) => (
                "git finds no repository here",
                "run it inside of one, or compare with a folder of protos or a descriptor set",
            ),
            Self::Unknown => (
                "git knows no such revision",
                "fetch it first where it is on a server (`git fetch origin main`, and then \
                 `--against origin/main`)",
            ),
        };
        let mut diagnostic = Diagnostic::new(format!("`{name}` {what}, and {why}")).help(help);
        if let Self::NoRepository(said) = self {
            diagnostic = diagnostic.note(format!("git says: {said}"));
        }
        Error::parameter(vec![diagnostic])
    }
}
