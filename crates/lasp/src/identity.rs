//! Who a node is, and that it stays so: identity and incarnation, kept in its data directory.
//!
//! A node writes its next incarnation to disk before it uses it, so that no dot is ever minted twice: not after a crash,
//! and, since an incarnation is never before the wall clock, not after the disk was lost either. The directory is
//! locked while the node runs.

use lasp_crdt::fingerprint::StableHasher;
use lasp_overlay::PeerId;
use serde::{Deserialize, Serialize};
use std::collections::hash_map::RandomState;
use std::fs::{self, File, TryLockError};
use std::hash::{BuildHasher, Hasher};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};
use thiserror::Error;

/// A node's identity in one of its lives.
#[derive(Debug)]
pub struct Identity {
    /// Its name, for people.
    pub name: String,
    /// Its lasting identity.
    pub id: PeerId,
    /// Which life this is: greater than every earlier one.
    pub incarnation: u64,
    /// Locked while the node runs.
    _lock: Option<File>,
}

/// Why a node has no identity.
#[derive(Debug, Error)]
pub enum IdentityError {
    /// The directory or a file in it cannot be used.
    #[error("cannot use the data directory {}: {problem}; make it writable or choose another", path.display())]
    Unusable {
        /// The directory or file.
        path: PathBuf,
        /// What the system says.
        problem: io::Error,
    },
    /// Another process uses the directory.
    #[error("the data directory {} is in use by another process; stop that, or choose another", path.display())]
    Locked {
        /// The directory.
        path: PathBuf,
    },
    /// The identity file makes no sense.
    #[error(
        "the identity file {} makes no sense ({problem}); restore it, or delete it to start as a new node",
        path.display()
    )]
    Malformed {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        problem: String,
    },
    /// The directory belongs to a node of another cluster.
    #[error(
        "the data directory {} belongs to a node of cluster {theirs:?}, not {ours:?}; choose another directory",
        path.display()
    )]
    OtherCluster {
        /// The directory.
        path: PathBuf,
        /// The cluster in the file.
        theirs: String,
        /// The cluster asked for.
        ours: String,
    },
}

/// The identity file.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Record {
    cluster: String,
    name: String,
    /// Hexadecimal, as shown everywhere.
    id: String,
    incarnation: u64,
}

impl Identity {
    /// An identity that is not kept. A named node is the same one in every life; an unnamed one is new each time.
    pub fn fleeting(cluster: &str, name: Option<&str>) -> Self {
        let id = fresh_id(cluster, name);
        Self { name: name_of(id, name), id, incarnation: wall_clock_ms(), _lock: None }
    }

    /// An identity from elsewhere.
    pub fn given(id: PeerId, incarnation: u64, name: Option<&str>) -> Self {
        Self { name: name_of(id, name), id, incarnation, _lock: None }
    }

    /// The identity kept in a directory, in its next life; a new one if there is none.
    ///
    /// # Errors
    /// [`IdentityError`]; nothing was changed then.
    pub fn kept(dir: &Path, cluster: &str, name: Option<&str>) -> Result<Self, IdentityError> {
        let unusable = |path: &Path| {
            let path = path.to_owned();
            move |problem| IdentityError::Unusable { path, problem }
        };
        fs::create_dir_all(dir).map_err(unusable(dir))?;
        let lock = lock(dir)?;
        let file = dir.join("identity.toml");
        let known = match fs::read_to_string(&file) {
            Ok(text) => Some(parse(&text, &file)?),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(unusable(&file)(error)),
        };
        let (id, before, old_name) = match known {
            Some((record, _)) if record.cluster != cluster => {
                let (path, theirs, ours) = (dir.to_owned(), record.cluster, cluster.to_owned());
                return Err(IdentityError::OtherCluster { path, theirs, ours });
            }
            Some((record, id)) => (id, record.incarnation, Some(record.name)),
            None => (fresh_id(cluster, name), 0, None),
        };
        let incarnation = wall_clock_ms().max(before.saturating_add(1));
        let name = name_of(id, name.or(old_name.as_deref()));
        let record = Record { cluster: cluster.to_owned(), name: name.clone(), id: id.to_string(), incarnation };
        write(dir, &file, &record).map_err(unusable(&file))?;
        Ok(Self { name, id, incarnation, _lock: Some(lock) })
    }
}

fn lock(dir: &Path) -> Result<File, IdentityError> {
    let path = dir.join("lock");
    let unusable = |problem| IdentityError::Unusable { path: path.clone(), problem };
    let file = File::options().create(true).truncate(false).write(true).open(&path).map_err(unusable)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(IdentityError::Locked { path: dir.to_owned() }),
        Err(TryLockError::Error(problem)) => Err(unusable(problem)),
    }
}

fn parse(text: &str, file: &Path) -> Result<(Record, PeerId), IdentityError> {
    let malformed = |problem: String| IdentityError::Malformed { path: file.to_owned(), problem };
    let record: Record = toml::from_str(text).map_err(|error| malformed(error.message().to_owned()))?;
    let id = u64::from_str_radix(&record.id, 16).map_err(|error| malformed(format!("id {:?}: {error}", record.id)))?;
    Ok((record, PeerId(id)))
}

/// Replaces the file at once or not at all, and on the disk before this returns.
fn write(dir: &Path, file: &Path, record: &Record) -> io::Result<()> {
    let text = toml::to_string(record).map_err(io::Error::other)?;
    let new = file.with_extension("new");
    let mut out = File::create(&new)?;
    out.write_all(text.as_bytes())?;
    out.sync_all()?;
    fs::rename(&new, file)?;
    File::open(dir)?.sync_all()
}

fn name_of(id: PeerId, name: Option<&str>) -> String {
    name.map_or_else(|| format!("node-{id}"), str::to_owned)
}

/// The same for the same name in the same cluster, so that a node whose disk was lost is known again.
fn fresh_id(cluster: &str, name: Option<&str>) -> PeerId {
    let Some(name) = name else { return PeerId(random_u64()) };
    let mut hasher = StableHasher::default();
    for part in [cluster, name] {
        hasher.write(&(part.len() as u64).to_le_bytes());
        hasher.write(part.as_bytes());
    }
    PeerId(hasher.finish())
}

/// 64 bits from the system's randomness, by way of the keys that it gives to hash maps.
pub(crate) fn random_u64() -> u64 {
    RandomState::new().hash_one(wall_clock_ms())
}

/// Milliseconds since 1970.
pub(crate) fn wall_clock_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dir() -> tempfile::TempDir {
        tempfile::tempdir().expect("a directory")
    }

    fn message(result: Result<Identity, IdentityError>) -> String {
        result.expect_err("refused").to_string()
    }

    #[test]
    fn a_kept_identity_lasts_and_every_life_is_later() {
        let dir = dir();
        let first = Identity::kept(dir.path(), "shop", Some("a")).expect("usable");
        let (id, incarnation) = (first.id, first.incarnation);
        drop(first);
        let second = Identity::kept(dir.path(), "shop", None).expect("usable");
        assert_eq!((second.id, second.name.as_str()), (id, "a"));
        assert!(second.incarnation > incarnation);
    }

    #[test]
    fn an_incarnation_is_later_than_the_last_even_if_the_clock_went_back() {
        let dir = dir();
        let far = wall_clock_ms() + 1_000_000;
        let text = format!("cluster = 'shop'\nname = 'a'\nid = '2a'\nincarnation = {far}\n");
        fs::write(dir.path().join("identity.toml"), text).expect("writable");
        let identity = Identity::kept(dir.path(), "shop", None).expect("usable");
        assert_eq!((identity.id, identity.incarnation), (PeerId(42), far + 1));
    }

    #[test]
    fn a_named_node_that_lost_its_disk_is_known_again_in_a_later_life() {
        let kept = Identity::kept(dir().path(), "shop", Some("a")).expect("usable");
        assert_eq!(kept.id, Identity::fleeting("shop", Some("a")).id);
        assert_ne!(kept.id, Identity::fleeting("zoo", Some("a")).id);
        assert_ne!(Identity::fleeting("shop", None).id, Identity::fleeting("shop", None).id);
    }

    #[test]
    fn a_directory_serves_one_process_at_a_time() {
        let dir = dir();
        let _first = Identity::kept(dir.path(), "shop", None).expect("usable");
        assert!(message(Identity::kept(dir.path(), "shop", None)).contains("in use by another process"));
    }

    #[test]
    fn a_directory_of_another_cluster_is_refused_untouched() {
        let dir = dir();
        drop(Identity::kept(dir.path(), "shop", None).expect("usable"));
        let before = fs::read(dir.path().join("identity.toml")).expect("there");
        let refused = message(Identity::kept(dir.path(), "zoo", None));
        assert!(refused.contains("belongs to a node of cluster \"shop\", not \"zoo\""), "{refused}");
        assert_eq!(fs::read(dir.path().join("identity.toml")).expect("there"), before);
    }

    #[test]
    fn a_broken_identity_file_is_refused_with_what_to_do() {
        let dir = dir();
        for text in ["nonsense", "cluster='shop'\nname='a'\nid='xyz'\nincarnation=1"] {
            fs::write(dir.path().join("identity.toml"), text).expect("writable");
            let refused = message(Identity::kept(dir.path(), "shop", None));
            assert!(refused.contains("delete it to start as a new node"), "{refused}");
        }
    }

    #[test]
    fn a_path_that_is_no_directory_is_refused_with_what_to_do() {
        let dir = dir();
        let file = dir.path().join("file");
        fs::write(&file, "").expect("writable");
        let refused = message(Identity::kept(&file, "shop", None));
        assert!(refused.starts_with("cannot use the data directory"), "{refused}");
    }
}
