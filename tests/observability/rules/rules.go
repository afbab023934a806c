package main

import (
	"context"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/prometheus/common/model"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/rulefmt"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/prometheus/prometheus/template"
)

const samplesMax = 1_000_000

// alert is what an expression has found, since when, and what is said about it.
type alert struct {
	labels      labels.Labels
	annotations labels.Labels
	since       time.Duration
	firing      bool
}

// rules evaluates groups of rules over series, as Prometheus does: file by file, in their order.
type rules struct {
	all    []rulefmt.Rule
	active map[string]map[string]*alert
	engine *promql.Engine
	series *series
}

func newRules(files []string, over *series) (*rules, error) {
	made := &rules{
		active: map[string]map[string]*alert{},
		series: over,
		engine: promql.NewEngine(promql.EngineOpts{
			MaxSamples: samplesMax, Timeout: time.Minute, EnableAtModifier: true, EnableNegativeOffset: true,
			Parser: parser.NewParser(parser.Options{}),
		}),
	}
	for _, file := range files {
		groups, problems := rulefmt.ParseFile(file, false, model.UTF8Validation, parser.NewParser(parser.Options{}))
		if len(problems) > 0 {
			return nil, problems[0]
		}
		for _, group := range groups.Groups {
			made.all = append(made.all, group.Rules...)
		}
	}
	return made, nil
}

func (r *rules) evaluate(at time.Duration) error {
	for _, rule := range r.all {
		vector, err := r.query(rule.Expr, at)
		if err != nil {
			return fmt.Errorf("%s%s: %w", rule.Record, rule.Alert, err)
		}
		if rule.Record != "" {
			r.record(rule, vector, at)
		} else if err := r.watch(rule, vector, at); err != nil {
			return err
		}
	}
	return nil
}

func (r *rules) query(expression string, at time.Duration) (promql.Vector, error) {
	moment := time.Unix(0, 0).UTC().Add(at)
	query, err := r.engine.NewInstantQuery(context.Background(), r.series, nil, expression, moment)
	if err != nil {
		return nil, err
	}
	defer query.Close()
	result := query.Exec(context.Background())
	if result.Err != nil {
		return nil, result.Err
	}
	switch value := result.Value.(type) {
	case promql.Vector:
		return append(promql.Vector{}, value...), nil // the engine takes its own back
	case promql.Scalar:
		return promql.Vector{{F: value.V, T: value.T}}, nil
	default:
		return nil, fmt.Errorf("%s is no vector", expression)
	}
}

func (r *rules) record(rule rulefmt.Rule, vector promql.Vector, at time.Duration) {
	for _, sample := range vector {
		named := labels.NewBuilder(sample.Metric).Set(labels.MetricName, rule.Record)
		for name, value := range rule.Labels {
			named.Set(name, value)
		}
		r.series.add(named.Labels(), at, sample.F)
	}
}

// watch keeps what is still found since when it was, and lets it fire when that is long enough ago.
func (r *rules) watch(rule rulefmt.Rule, vector promql.Vector, at time.Duration) error {
	now := map[string]*alert{}
	for _, sample := range vector {
		one, err := described(rule, sample, at)
		if err != nil {
			return err
		}
		key := one.labels.String()
		if now[key] != nil {
			return fmt.Errorf("%s: two alerts have the labels %s", rule.Alert, key)
		}
		if before := r.active[rule.Alert][key]; before != nil {
			one.since = before.since
		}
		one.firing = at-one.since >= time.Duration(rule.For)
		now[key] = one
	}
	r.active[rule.Alert] = now
	return nil
}

func described(rule rulefmt.Rule, sample promql.Sample, at time.Duration) (*alert, error) {
	data := template.AlertTemplateData(sample.Metric.Map(), nil, "", sample)
	var failed error
	expand := func(text string) string {
		whole := "{{$labels := .Labels}}{{$value := .Value}}" + text
		moment := model.TimeFromUnixNano(at.Nanoseconds())
		told, err := template.NewTemplateExpander(
			context.Background(), whole, "__alert_"+rule.Alert, data, moment, nil, &url.URL{}, nil,
		).Expand()
		if err != nil {
			failed = fmt.Errorf("%s: %w", rule.Alert, err)
		}
		return strings.TrimSpace(told)
	}
	named := labels.NewBuilder(sample.Metric).Del(labels.MetricName)
	for name, value := range rule.Labels {
		named.Set(name, expand(value))
	}
	said := map[string]string{}
	for name, value := range rule.Annotations {
		said[name] = expand(value)
	}
	return &alert{
		labels:      named.Set(labels.AlertName, rule.Alert).Labels(),
		annotations: labels.FromMap(said),
		since:       at,
	}, failed
}

func (r *rules) has(name string) bool {
	for _, rule := range r.all {
		if rule.Alert == name {
			return true
		}
	}
	return false
}
