-- Deliveries that wait for others, by trigger: what batches are made of.
CREATE INDEX deliveries_gathered ON deliveries (trigger_key, id) WHERE fate = 'gathered';
