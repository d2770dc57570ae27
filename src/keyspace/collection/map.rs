//! stub
use super::pack::Element;
use crate::base::KeyHasher;
#[derive(Clone, Debug)]
pub struct Map(std::collections::HashMap<Vec<u8>, Vec<u8>>);
impl Map {
    pub fn new(_: usize, _: KeyHasher) -> Self {
        Self(Default::default())
    }
    pub fn len(&self) -> usize {
        self.0.len()
    }
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
    pub fn get(&self, key: &[u8]) -> Option<Element<'_>> {
        self.0.get(key).map(|v| super::pack::Pack::<false>::new(v).get(0))
    }
    pub fn contains(&self, key: &[u8]) -> bool {
        self.0.contains_key(key)
    }
    pub fn insert(&mut self, key: &[u8], v: &[u8]) -> bool {
        self.0.insert(key.to_vec(), v.to_vec()).is_none()
    }
    pub fn remove(&mut self, key: &[u8]) -> bool {
        self.0.remove(key).is_some()
    }
    pub fn iter(&self) -> impl Iterator<Item = (Element<'_>, Option<Element<'_>>)> {
        self.0
            .iter()
            .map(|(k, v)| (Element::Text(k), (!v.is_empty()).then(|| super::pack::Pack::<false>::new(v).get(0))))
    }
    pub fn heap_bytes(&self) -> usize {
        self.0.len() * 50
    }
    pub fn drop_some(&mut self, _: usize) -> bool {
        self.0.clear();
        false
    }
}
