-- What rules about cost and about instants ask for, every half minute.
CREATE INDEX charges_by_job ON charges (environment, job, at);
CREATE INDEX instants_unrun ON instants (trigger_key, decided_at) WHERE fate <> 'run';
