//! A vector with stable positions: removed ones are used again, lowest-numbered last freed first.

/// Values at positions that do not change while they live.
#[derive(Clone, Debug)]
pub(crate) struct Slab<T> {
    slots: Vec<Option<T>>,
    free: Vec<u32>,
}

impl<T> Default for Slab<T> {
    fn default() -> Self {
        Self { slots: Vec::new(), free: Vec::new() }
    }
}

impl<T> Slab<T> {
    /// How many values.
    pub(crate) fn len(&self) -> usize {
        self.slots.len() - self.free.len()
    }

    /// Puts a value in; returns its position.
    pub(crate) fn insert(&mut self, value: T) -> u32 {
        if let Some(at) = self.free.pop() {
            self.slots[at as usize] = Some(value);
            return at;
        }
        let at = u32::try_from(self.slots.len()).expect("a slab holds fewer than 2^32 values");
        self.slots.push(Some(value));
        at
    }

    /// Takes the value at `at` out. Gives the memory back with the last one.
    ///
    /// # Panics
    /// If the position is empty.
    pub(crate) fn remove(&mut self, at: u32) -> T {
        let value = self.slots[at as usize].take().expect(OCCUPIED);
        self.free.push(at);
        if self.free.len() == self.slots.len() {
            *self = Self::default();
        }
        value
    }

    /// The value at `at`.
    ///
    /// # Panics
    /// If the position is empty.
    pub(crate) fn get(&self, at: u32) -> &T {
        self.slots[at as usize].as_ref().expect(OCCUPIED)
    }

    /// As [`get`](Self::get), to change it.
    pub(crate) fn get_mut(&mut self, at: u32) -> &mut T {
        self.slots[at as usize].as_mut().expect(OCCUPIED)
    }

    /// Every value with its position, ascending by position.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (u32, &T)> {
        (0u32..).zip(&self.slots).filter_map(|(at, slot)| Some((at, slot.as_ref()?)))
    }

    /// Every value with its position, in the same order.
    pub(crate) fn into_entries(self) -> impl Iterator<Item = (u32, T)> {
        (0u32..).zip(self.slots).filter_map(|(at, slot)| Some((at, slot?)))
    }

    /// Every value, in the same order.
    pub(crate) fn into_values(self) -> impl Iterator<Item = T> {
        self.slots.into_iter().flatten()
    }
}

const OCCUPIED: &str = "positions are held only while their value lives";
