"""Names of functions: those of Prometheus that people misspell, and those that only other engines have."""

_COMMON = """
    abs absent absent_over_time avg_over_time ceil changes clamp clamp_max clamp_min count_over_time delta deriv floor
    histogram_quantile idelta increase irate label_join label_replace last_over_time max_over_time min_over_time predict_linear
    quantile_over_time rate resets round scalar sort sort_desc stddev_over_time sum_over_time time timestamp vector
"""

_FOREIGN = """
    xrate xincrease xdelta
    aggr_over_time alias any ascent_over_time bitmap_and bitmap_or bitmap_xor bottomk_avg bottomk_last bottomk_max bottomk_median
    bottomk_min buckets_limit changes_prometheus count_eq_over_time count_gt_over_time count_le_over_time count_ne_over_time
    count_values_over_time decreases_over_time default_rollup delta_prometheus deriv_fast descent_over_time distinct
    distinct_over_time drop_common_labels drop_empty_series duration_over_time geomean geomean_over_time histogram
    histogram_over_time histogram_share hoeffding_bound_lower hoeffding_bound_upper ideriv increase_prometheus increase_pure
    increases_over_time integrate interpolate iqr_over_time keep_last_value keep_next_value label_copy label_del
    label_graphite_group label_keep label_lowercase label_map label_match label_mismatch label_move label_set label_transform
    label_uppercase label_value labels_equal lag lifetime limit_offset mad median median_over_time mode mode_over_time now
    outlier_iqr_over_time outliers_iqr outliers_mad outliersk prometheus_buckets quantiles quantiles_over_time rand
    rand_exponential rand_normal range_avg range_first range_last range_linear_regression range_mad range_max range_median
    range_min range_normalize range_over_time range_quantile range_stddev range_stdvar range_sum range_trim_outliers
    range_trim_spikes range_trim_zscore range_zscore rate_over_sum rate_prometheus remove_resets rollup rollup_candlestick
    rollup_delta rollup_deriv rollup_increase rollup_rate rollup_scrape_interval ru running_avg running_max running_min
    running_sum scrape_interval share share_eq_over_time share_gt_over_time share_le_over_time smooth_exponential
    sort_by_label_numeric sort_by_label_numeric_desc stale_samples_over_time step sum2 sum2_over_time sum_eq_over_time
    sum_gt_over_time sum_le_over_time tfirst_over_time timestamp_with_name timezone_offset tlast_change_over_time tlast_over_time
    tmax_over_time tmin_over_time topk_avg topk_last topk_max topk_median topk_min ttf union vmrange_buckets_to_le_buckets
    with zscore zscore_over_time
"""

COMMON = tuple(_COMMON.split())
"""Functions of Prometheus that people misspell."""

FOREIGN = frozenset(_FOREIGN.split())
"""Functions of Thanos's own engine and of MetricsQL: right for whoever evaluates rules with these."""

FOREIGN_WORDS = frozenset(("default", "if", "ifnot", "keep_metric_names", "limit"))
"""Keywords of MetricsQL."""
