package main

import (
	"context"
	"fmt"
	"math"
	"slices"
	"sort"
	"strings"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/common/promslog"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/prometheus/prometheus/promql/promqltest"
	"github.com/prometheus/prometheus/rules"
)

type unitFile struct {
	RuleFiles []string       `yaml:"rule_files"`
	Interval  model.Duration `yaml:"evaluation_interval"`
	Tests     []unitGroup    `yaml:"tests"`
}

type unitGroup struct {
	Name     string         `yaml:"name"`
	Interval model.Duration `yaml:"interval"`
	Series   []struct {
		Series string `yaml:"series"`
		Values string `yaml:"values"`
	} `yaml:"input_series"`
	Alerts      []alertCase      `yaml:"alert_rule_test"`
	Expressions []expressionCase `yaml:"promql_expr_test"`
}

type alertCase struct {
	At       model.Duration `yaml:"eval_time"`
	Name     string         `yaml:"alertname"`
	Expected []struct {
		Labels      map[string]string `yaml:"exp_labels"`
		Annotations map[string]string `yaml:"exp_annotations"`
	} `yaml:"exp_alerts"`
}

type expressionCase struct {
	Expression string         `yaml:"expr"`
	At         model.Duration `yaml:"eval_time"`
	Expected   []struct {
		Labels string  `yaml:"labels"`
		Value  float64 `yaml:"value"`
	} `yaml:"exp_samples"`
}

// run evaluates all rules step by step and compares at the times that the cases name.
func (group *unitGroup) run(unit unitFile) []error {
	step := time.Duration(unit.Interval)
	suite, err := promqltest.NewLazyLoader(group.load(), promqltest.LazyLoaderOpts{
		EnableAtModifier: true, EnableNegativeOffset: true,
	})
	if err != nil {
		return []error{err}
	}
	defer suite.Close()
	suite.SubqueryInterval = step
	p := parser.NewParser(parser.Options{})
	manager := rules.NewManager(&rules.ManagerOptions{
		QueryFunc:  rules.EngineQueryFunc(suite.QueryEngine(), suite.Storage()),
		Appendable: suite.Storage(),
		Context:    context.Background(),
		NotifyFunc: func(context.Context, string, ...*rules.Alert) {},
		Logger:     promslog.NewNopLogger(),
		Parser:     p,
	})
	groups, problems := manager.LoadGroups(step, labels.EmptyLabels(), "", nil, false, unit.RuleFiles...)
	if problems != nil {
		return problems
	}
	ordered := slices.SortedFunc(mapsValues(groups), func(a, b *rules.Group) int { return strings.Compare(a.Name(), b.Name()) })
	start := time.Unix(0, 0).UTC()
	for at := time.Duration(0); at <= group.last(); at += step {
		suite.WithSamplesTill(start.Add(at), func(err error) {
			if err != nil {
				problems = append(problems, err)
			}
		})
		for _, one := range ordered {
			one.Eval(suite.Context(), start.Add(at))
			for _, rule := range one.Rules() {
				if rule.LastError() != nil {
					return append(problems, fmt.Errorf("%s: %w", rule.Name(), rule.LastError()))
				}
			}
		}
		for _, wanted := range group.Alerts {
			if moment := time.Duration(wanted.At); at <= moment && moment < at+step {
				problems = append(problems, wanted.compare(ordered)...)
			}
		}
	}
	for _, wanted := range group.Expressions {
		if err := wanted.compare(suite, start); err != nil {
			problems = append(problems, err)
		}
	}
	return problems
}

func mapsValues(groups map[string]*rules.Group) func(func(*rules.Group) bool) {
	return func(yield func(*rules.Group) bool) {
		for _, one := range groups {
			if !yield(one) {
				return
			}
		}
	}
}

func (group *unitGroup) load() string {
	lines := []string{fmt.Sprintf("load %s", time.Duration(group.Interval))}
	for _, one := range group.Series {
		lines = append(lines, fmt.Sprintf("  %s %s", one.Series, one.Values))
	}
	return strings.Join(lines, "\n") + "\n"
}

func (group *unitGroup) last() time.Duration {
	last := time.Duration(0)
	for _, one := range group.Alerts {
		last = max(last, time.Duration(one.At))
	}
	for _, one := range group.Expressions {
		last = max(last, time.Duration(one.At))
	}
	return last
}

// compare says what fires and should not, or should and does not, with all labels and annotations.
func (wanted *alertCase) compare(groups []*rules.Group) []error {
	var firing, expected []string
	exists := false
	for _, group := range groups {
		for _, rule := range group.Rules() {
			alerting, ok := rule.(*rules.AlertingRule)
			if !ok || alerting.Name() != wanted.Name {
				continue
			}
			exists = true
			for _, alert := range alerting.ActiveAlerts() {
				if alert.State == rules.StateFiring {
					firing = append(firing, alert.Labels.String()+" "+alert.Annotations.String())
				}
			}
		}
	}
	if !exists {
		return []error{fmt.Errorf("there is no alert called %s", wanted.Name)}
	}
	for _, one := range wanted.Expected {
		all := map[string]string{labels.AlertName: wanted.Name}
		for name, value := range one.Labels {
			all[name] = value
		}
		expected = append(expected, labels.FromMap(all).String()+" "+labels.FromMap(one.Annotations).String())
	}
	sort.Strings(firing)
	sort.Strings(expected)
	if !slices.Equal(firing, expected) {
		return []error{fmt.Errorf("%s at %s:\n  expected %s\n  firing   %s", wanted.Name, wanted.At,
			strings.Join(expected, "\n           "), strings.Join(firing, "\n           "))}
	}
	return nil
}

func (wanted *expressionCase) compare(suite *promqltest.LazyLoader, start time.Time) error {
	moment := start.Add(time.Duration(wanted.At))
	query, err := suite.QueryEngine().NewInstantQuery(suite.Context(), suite.Queryable(), nil, wanted.Expression, moment)
	if err != nil {
		return err
	}
	defer query.Close()
	result := query.Exec(suite.Context())
	if result.Err != nil {
		return fmt.Errorf("%s: %w", wanted.Expression, result.Err)
	}
	vector, ok := result.Value.(promql.Vector)
	if !ok {
		return fmt.Errorf("%s is no vector", wanted.Expression)
	}
	got := map[string]float64{}
	for _, sample := range vector {
		got[sample.Metric.String()] = sample.F
	}
	for _, one := range wanted.Expected {
		value, found := got[one.Labels]
		if !found || math.Abs(value-one.Value) > 1e-9*math.Max(1, math.Abs(one.Value)) {
			return fmt.Errorf("%s at %s: expected %s %v, got %v", wanted.Expression, wanted.At, one.Labels, one.Value, got)
		}
	}
	if len(got) != len(wanted.Expected) {
		return fmt.Errorf("%s at %s: more than expected: %v", wanted.Expression, wanted.At, got)
	}
	return nil
}
