//! How variables are called on the wire: type and name as one recurring symbol.

use crate::causal::{CAUSAL, group_of};
use lasp_crdt::codec::to_bytes;
use lasp_crdt::{Decode, DecodeError, Encode, Reader, Writer, fingerprint};
use lasp_dataflow::{Name, Type};
use std::cmp::Ordering;
use std::sync::Arc;

/// A variable's name and type, ready to be written as a link symbol.
#[derive(Clone, Debug)]
pub(crate) struct Key {
    symbol: Arc<[u8]>,
    ty: Type,
    name: Name,
    hash: u64,
}

impl Key {
    /// The key of a variable.
    pub(crate) fn new(name: Name, ty: Type) -> Self {
        let mut symbol = to_bytes(&ty);
        symbol.extend_from_slice(name.as_str().as_bytes());
        Self::assemble(symbol.into(), ty, name)
    }

    fn assemble(symbol: Arc<[u8]>, ty: Type, name: Name) -> Self {
        let hash = fingerprint::hash(&*symbol);
        Self { symbol, ty, name, hash }
    }

    /// The variable's type.
    pub(crate) const fn ty(&self) -> &Type {
        &self.ty
    }

    /// The variable's name.
    pub(crate) const fn name(&self) -> &Name {
        &self.name
    }

    /// A stable hash of both: its place in the hash tree.
    pub(crate) const fn hash(&self) -> u64 {
        self.hash
    }

    /// Bytes of both as a symbol.
    pub(crate) fn len(&self) -> usize {
        self.symbol.len()
    }

    /// Whether the variable belongs to a causal group.
    pub(crate) fn is_grouped(&self) -> bool {
        self.name.as_str().starts_with(CAUSAL) && group_of(self.name.as_str()).is_some()
    }

    /// The variable's causal group, as it is written on links.
    pub(crate) fn group(&self) -> Option<Arc<[u8]>> {
        group_of(self.name.as_str()).map(|group| group.as_bytes().into())
    }

    fn parse(symbol: Arc<[u8]>, at: usize) -> Result<Self, DecodeError> {
        let mut plain = lasp_crdt::codec::Plain;
        let mut r = Reader::new(&symbol, &mut plain);
        let ty = Type::decode(&mut r)?;
        let text = std::str::from_utf8(&symbol[r.at()..]).map_err(|_| DecodeError::BadUtf8 { at })?;
        let name = Name::new(text).map_err(|_| DecodeError::NotCanonical { what: "variable name", at })?;
        Ok(Self::assemble(symbol, ty, name))
    }
}

impl PartialEq for Key {
    fn eq(&self, other: &Self) -> bool {
        self.hash == other.hash && self.symbol == other.symbol
    }
}

impl Eq for Key {}

impl PartialOrd for Key {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// By hash first: the order of the hash tree.
impl Ord for Key {
    fn cmp(&self, other: &Self) -> Ordering {
        self.hash.cmp(&other.hash).then_with(|| self.symbol.cmp(&other.symbol))
    }
}

impl Encode for Key {
    fn encode(&self, w: &mut Writer<'_>) {
        w.symbol(&self.symbol);
    }
}

impl Decode for Key {
    fn decode(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let at = r.at();
        Self::parse(r.symbol()?, at)
    }
}
