package rules

// checkBudget: the budget counts what this stack costs, and its messages have a reader.
func checkBudget(k *checker) {
	r := k.one(kindBudget)
	for _, s := range k.scenes() {
		limit := s.given["MonthlyBudget"]
		k.want(s.name+": the budget is made", s.made(r), limit != "")
		if limit == "" {
			continue
		}
		p := s.props(r)
		k.want("the budget", p["Budget"], object{
			"BudgetType": "COST", "TimeUnit": "MONTHLY", "BudgetLimit": object{"Amount": limit, "Unit": "USD"},
			"CostFilters": object{"TagKeyValue": []any{"aws:cloudformation:stack-name$stack"}},
		})
		notification := func(kind string, percent int) any {
			return object{
				"Notification": object{
					"NotificationType": kind, "ComparisonOperator": "GREATER_THAN", "Threshold": percent,
					"ThresholdType": "PERCENTAGE",
				},
				"Subscribers": []any{object{"SubscriptionType": "EMAIL", "Address": s.given["AlarmEmail"]}},
			}
		}
		k.want("the messages of the budget", p["NotificationsWithSubscribers"],
			[]any{notification("ACTUAL", 80), notification("FORECASTED", 100)})
	}
	if (&scene{name: "budget", given: map[string]string{"MonthlyBudget": "9"}, t: k.t}).allowed() {
		k.failf("MonthlyBudget may be given without AlarmEmail")
	}
	k.want("the default of MonthlyBudget", k.t.parameters["MonthlyBudget"]["Default"], 0)
}

var moneyMutations = []mutation{
	{"budget", "the costs of the whole account", "  Budget:\n",
		`        CostFilters: {TagKeyValue: [!Sub "aws:cloudformation:stack-name$${AWS::StackName}"]}` + "\n", ""},
	{"budget", "another tag", "  Budget:\n", "aws:cloudformation:stack-name$", "user:stack$"},
	{"budget", "a budget without a limit", "  Budget:\n", "!Ref MonthlyBudget", "1"},
	{"budget", "a budget by default", "  MonthlyBudget:\n", "Default: 0", "Default: 9"},
	{"budget", "a budget for nobody", "  OwnBudget:\n", "!Equals [!Ref MonthlyBudget, 0], ",
		"!Equals [!Ref MonthlyBudget, 9], "},
}
