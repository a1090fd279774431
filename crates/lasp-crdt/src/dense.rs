//! A dense list in chunks: grows without moving what it holds, and wastes no more than part of its last chunk.
//!
//! One item takes no allocation (nearly every delta). A removal moves the last item into the gap.

use smallvec::SmallVec;

/// Items of one chunk. A guess: large enough that chunks are few, small enough that half an unused one is nothing.
const CHUNK: usize = 512;

/// Items in the order of their insertion, but for what removals moved.
#[derive(Clone, Debug)]
pub(crate) struct Dense<T> {
    head: SmallVec<[T; 1]>,
    /// Full chunks, but for the last, which is not empty.
    tail: Vec<Vec<T>>,
}

impl<T> Default for Dense<T> {
    fn default() -> Self {
        Self { head: SmallVec::new(), tail: Vec::new() }
    }
}

impl<T> Dense<T> {
    #[inline]
    pub(crate) fn len(&self) -> usize {
        match self.tail.last() {
            None => self.head.len(),
            Some(last) => self.tail.len() * CHUNK + last.len(),
        }
    }

    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.head.is_empty()
    }

    /// The item at a position.
    ///
    /// # Panics
    /// If there is none.
    #[inline]
    pub(crate) fn get(&self, at: usize) -> &T {
        if at < CHUNK { &self.head[at] } else { &self.tail[at / CHUNK - 1][at % CHUNK] }
    }

    /// As [`get`](Self::get), to change it.
    #[inline]
    pub(crate) fn get_mut(&mut self, at: usize) -> &mut T {
        if at < CHUNK { &mut self.head[at] } else { &mut self.tail[at / CHUNK - 1][at % CHUNK] }
    }

    pub(crate) fn push(&mut self, item: T) {
        match self.tail.last_mut() {
            Some(last) if last.len() < CHUNK => last.push(item),
            None if self.head.len() < CHUNK => self.head.push(item),
            _ => self.tail.push(vec![item]),
        }
    }

    /// Takes the item at a position out; the last one takes its place.
    ///
    /// # Panics
    /// If there is none.
    pub(crate) fn swap_remove(&mut self, at: usize) -> T {
        let last = match self.tail.last_mut() {
            Some(chunk) => {
                let item = chunk.pop().expect("a chunk is not empty");
                if chunk.is_empty() {
                    self.tail.pop();
                }
                item
            }
            None => self.head.pop().expect("there is an item to remove"),
        };
        let gone = if at == self.len() { last } else { std::mem::replace(self.get_mut(at), last) };
        if self.tail.is_empty() && self.head.spilled() && self.head.len() * 4 <= self.head.capacity() {
            let mut head = SmallVec::with_capacity(self.head.len() * 2);
            head.append(&mut self.head);
            self.head = head;
        }
        gone
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &T> {
        self.head.iter().chain(self.tail.iter().flatten())
    }

    pub(crate) fn into_iter(self) -> impl Iterator<Item = T> {
        self.head.into_iter().chain(self.tail.into_iter().flatten())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_agrees_with_a_vector() {
        let (mut list, mut model) = (Dense::default(), Vec::new());
        for step in 0..20_000usize {
            let random = crate::fingerprint::mix(3, step as u64) as usize;
            let grows = (step / 5_000) % 2 == 0;
            if random % 8 < if grows { 6 } else { 1 } || model.is_empty() {
                list.push(step);
                model.push(step);
            } else {
                let at = (random >> 8) % model.len();
                assert_eq!(list.swap_remove(at), model.swap_remove(at));
            }
            assert_eq!((list.len(), list.is_empty()), (model.len(), model.is_empty()));
            if step % 501 == 0 {
                assert!(list.iter().eq(&model) && (0..model.len()).all(|at| list.get(at) == &model[at]));
            }
        }
        assert!(list.into_iter().eq(model));
    }

    #[test]
    fn what_is_gone_takes_no_memory() {
        let mut list = Dense::default();
        (0..5_000).for_each(|n| list.push(n));
        (0..5_000).for_each(|_| _ = list.swap_remove(0));
        assert!(list.tail.is_empty() && list.head.capacity() <= 4);
    }
}
